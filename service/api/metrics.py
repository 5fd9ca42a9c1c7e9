"""`/metrics` for Prometheus: jobs, refusals by reason, deliveries by node. No patient, study or instance is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.api.dependencies import PartsOfApp, ReadSession, now
from service.api.problems import problems
from service.errors import TransientError
from service.instance_store import InstanceStore
from service.observability.ages import Ages, read_ages
from service.observability.totals import Totals, read_totals
from service.registry.admission_marks import DISK, QUEUE, MarkRow, read_marks
from service.registry.counts import Counts, count_everything
from service.registry.kept_files import count_faults
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
def read_metrics(parts: PartsOfApp, session: ReadSession) -> Response:
    """Numbers of the registry at this moment: jobs by state, what was not processed by reason, deliveries by node; room
    on the disk, whether images are refused, files that are missing or altered.

    They are gauges, since the registry may be cleared of what is old; but the times in each stage and the outcomes by
    model are counted, about two minutes after a job has moved on.
    """
    registry = CollectorRegistry()
    registry.register(_Registry(count_everything(session), count_work(session)))
    registry.register(_Finished(read_totals(session)))
    registry.register(_Waiting(read_ages(session, now=now())))
    registry.register(_Kept(parts.store, read_marks(session), count_faults(session)))
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


class _Waiting(Collector):
    """How long things have waited."""

    def __init__(self, ages: Ages) -> None:
        self._ages = ages

    def collect(self) -> Iterator[Metric]:
        ages = self._ages
        yield _gauge(
            "softray_oldest_queued_seconds",
            "Age of the oldest job that waits for a worker, 0: none waits.",
            ("priority",),
            _single(ages.oldest_queued),
        )
        yield _gauge(
            "softray_node_pause_seconds",
            "How long a node that did not answer is still left alone, 0: it is not.",
            ("node",),
            _single(ages.paused),
        )
        yield _gauge(
            "softray_audit_events_unsent",
            "Events that the audit record repository was not told yet.",
            ("receiver",),
            _single(ages.audit_unsent),
        )
        yield _gauge(
            "softray_audit_notes", "Notes that are not part of the trail yet.", (), {(): float(ages.audit_notes)}
        )
        yield _gauge(
            "softray_upkeep_age_seconds",
            "Since a walk of the upkeep was last gone on with.",
            ("walk",),
            _single(ages.upkeep),
        )


class _Finished(Collector):
    """What finished jobs have left."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        times = HistogramMetricFamily("softray_stage_seconds", "Time that jobs spent in a stage.", labels=["stage"])
        for stage, total in self._totals.stages.items():
            bounds = [("+Inf" if bound == float("inf") else str(bound), number) for bound, number in total.buckets]
            times.add_metric([stage], buckets=bounds, sum_value=total.seconds)
        yield times
        outcomes = CounterMetricFamily(
            "softray_outcomes_total", "Ends of computations by model.", labels=["model", "outcome"]
        )
        for labels, number in self._totals.outcomes.items():
            outcomes.add_metric(labels, number)
        yield outcomes


class _Kept(Collector):
    """The instance store and its disk."""

    def __init__(self, store: InstanceStore, marks: Mapping[str, MarkRow], faults: dict[tuple[str, ...], int]) -> None:
        self._store = store
        self._marks = marks
        self._faults = faults

    def collect(self) -> Iterator[Metric]:
        with suppress(TransientError):  # a store that is away has no numbers; /health/ready says so
            usage = self._store.space.usage()
            yield GaugeMetricFamily("softray_disk_free_bytes", "Room left in the instance store.", usage.free_bytes)
            yield GaugeMetricFamily("softray_disk_used_percent", "Share of its disk in use.", usage.used_percent)
        least = self._store.space.marks
        yield GaugeMetricFamily("softray_disk_min_free_bytes", "Room that must stay free.", least.min_free_bytes)
        yield _gauge(
            "softray_disk_mark_percent",
            "Share in use above which (high) images are refused, and below which (low) they are taken again.",
            ("mark",),
            {("high",): least.high_percent, ("low",): least.low_percent},
        )
        on = {name for name, mark in self._marks.items() if mark.refusing}
        refusing = {name: int(name in on) for name in (DISK, QUEUE)}
        yield _gauge("softray_refusing", "1: images are answered 0xA700 because of this.", ("mark",), _single(refusing))
        yield _gauge("softray_stored_file_faults", "Kept files missing or altered.", ("kind", "code"), self._faults)


def _gauge(name: str, what: str, labels: Sequence[str], numbers: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, number in numbers.items():
        family.add_metric(values, number)
    return family


def _single(numbers: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(label,): number for label, number in numbers.items()}
