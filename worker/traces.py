"""OpenTelemetry traces: spans that the history of jobs tells, sent over OTLP/HTTP by a thread of the network worker.

Off unless SOFTRAY_TRACES_URL names a collector. Spans are made from the registry after the fact, about a minute later:
no process of the image's path waits for a collector, or knows of one. Needs the extra `tracing`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.logs import log_event
from service.observability.told_spans import ToldSpan, tell_spans
from worker.context import WorkerContext

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

logger = logging.getLogger(__name__)

TIMEOUT_S = 10.0

Take = Callable[[Sequence[ToldSpan]], bool]


def start_traces(context: WorkerContext, url: str, interval_s: float) -> threading.Event:
    """Tell spans every `interval_s` seconds on a daemon thread; set the event to stop it. `url` empty: never.

    Raises ConfigurationError when the extra is not installed.
    """
    stop = threading.Event()
    if not url:
        return stop
    take = otlp(url)

    def keep_telling() -> None:
        reachable = True
        while not stop.wait(interval_s):
            reachable = tell_round(context, take, stop, reachable)

    threading.Thread(target=keep_telling, name="traces", daemon=True).start()
    return stop


def tell_round(context: WorkerContext, take: Take, stop: threading.Event, reachable: bool) -> bool:
    """Tell all that has settled. Returns whether the collector took it; only the change is logged. Nothing raises."""
    answers = [reachable]

    def noted(told: Sequence[ToldSpan]) -> bool:
        answers.append(take(told))
        return answers[-1]

    try:
        while not stop.is_set() and tell_spans(context.sessions, noted, owner=context.owner, clock=context.clock):
            pass
    except Exception as error:  # the registry may be away for a while; the walk stands where it stood
        log_event(logger, "traces_failed", level=logging.WARNING, error=type(error).__name__)
    if reachable and not answers[-1]:
        log_event(logger, "traces_not_sent", level=logging.WARNING)
    if not reachable and answers[-1]:
        log_event(logger, "traces_sent_again")
    return answers[-1]


def otlp(url: str) -> Take:
    """What sends to the collector at `url` (…/v1/traces). Raises ConfigurationError without the extra `tracing`."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult
    except ImportError:
        raise ConfigurationError(
            "INVALID_SETTING", "SOFTRAY_TRACES_URL is set; expected softray[tracing] installed, found no opentelemetry"
        ) from None
    # The library writes what it was answered by the collector into the log; that it failed is told by our own event.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_S)
    return lambda told: exporter.export([_readable(one) for one in told]) is SpanExportResult.SUCCESS


def _readable(told: ToldSpan) -> ReadableSpan:
    """With ids and times that are given, which a Tracer would draw itself."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

    def context(span_id: int) -> SpanContext:
        return SpanContext(told.span.trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    attributes = {
        "softray.job_id": told.job_id,
        "softray.purpose": told.purpose,
        "softray.to_state": str(told.span.to_state),
    }
    if told.model is not None:
        attributes["softray.model"] = told.model
    return ReadableSpan(
        told.span.name,
        context=context(told.span.span_id),
        parent=None if told.span.parent_id is None else context(told.span.parent_id),
        resource=Resource({"service.name": "softray", "service.version": version("softray")}),
        attributes=attributes,
        status=Status(StatusCode.ERROR) if told.span.failed else Status(StatusCode.UNSET),
        start_time=_nanoseconds(told.span.start),
        end_time=_nanoseconds(told.span.end),
        instrumentation_scope=InstrumentationScope("softray"),
    )


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000
