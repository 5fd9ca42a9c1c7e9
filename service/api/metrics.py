"""`/metrics` for Prometheus: jobs, refusals by reason, deliveries by node. No patient, study or instance is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.api.dependencies import ReadSession
from service.api.problems import problems
from service.registry.counts import Counts, count_everything
from service.registry.work_counts import WorkCounts, count_work

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(500, 503),
    },
)
def read_metrics(session: ReadSession) -> Response:
    """Numbers of the registry at this moment: jobs by state, what was not processed by reason, deliveries by node.

    They are gauges, since the registry may be cleared of what is old.
    """
    registry = CollectorRegistry()
    registry.register(_Registry(count_everything(session), count_work(session)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Registry(Collector):
    def __init__(self, counts: Counts, work: WorkCounts) -> None:
        self._counts = counts
        self._work = work

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        yield _gauge("softray_jobs", "Jobs by purpose and state.", ("purpose", "state"), counts.jobs)
        yield _gauge(
            "softray_images_not_processed", "Images kept and not processed.", ("reason",), _single(counts.not_processed)
        )
        yield _gauge("softray_objects_rejected", "Objects refused or set aside.", ("reason",), _single(counts.rejected))
        work = self._work
        yield _gauge("softray_jobs_queued", "Jobs that wait for a worker.", ("priority",), _single(work.queued))
        yield _gauge("softray_jobs_late", "Jobs that missed their deadline.", ("priority", "state"), work.late)
        yield _gauge(
            "softray_jobs_waiting_for_destination",
            "Jobs whose results no remote node receives.",
            (),
            {(): work.waiting_for_destination},
        )
        yield _gauge("softray_deliveries", "Deliveries by node and state.", ("node", "state"), counts.deliveries)
        yield _gauge(
            "softray_node_failures_in_a_row", "Attempts that a node did not answer.", ("node",), _single(counts.nodes)
        )


def _gauge(name: str, what: str, labels: Sequence[str], numbers: Mapping[tuple[str, ...], int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, number in numbers.items():
        family.add_metric(values, number)
    return family


def _single(numbers: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {(label,): number for label, number in numbers.items()}
