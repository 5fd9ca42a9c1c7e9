"""`/metrics` for Prometheus: jobs, refusals by reason, deliveries by node. No patient, study or instance is in it."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.api.dependencies import ReadSession
from service.api.problems import problems
from service.registry.counts import Counts, count_everything

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
    registry.register(_Registry(count_everything(session)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Registry(Collector):
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        jobs = GaugeMetricFamily("softray_jobs", "Jobs by purpose and state.", labels=["purpose", "state"])
        for key, number in counts.jobs.items():
            jobs.add_metric(key, number)
        yield jobs
        refused = GaugeMetricFamily(
            "softray_images_not_processed", "Images kept and not processed, by reason.", labels=["reason"]
        )
        for reason, number in counts.not_processed.items():
            refused.add_metric([reason], number)
        yield refused
        rejected = GaugeMetricFamily(
            "softray_objects_rejected", "Objects refused or quarantined, by reason.", labels=["reason"]
        )
        for reason, number in counts.rejected.items():
            rejected.add_metric([reason], number)
        yield rejected
        deliveries = GaugeMetricFamily("softray_deliveries", "Deliveries by node and state.", labels=["node", "state"])
        for key, number in counts.deliveries.items():
            deliveries.add_metric(key, number)
        yield deliveries
        nodes = GaugeMetricFamily(
            "softray_node_failures_in_a_row", "Attempts in a row that a remote node did not answer.", labels=["node"]
        )
        for name, number in counts.nodes.items():
            nodes.add_metric([name], number)
        yield nodes
