"""Traces over a real registry to a real OTLP/HTTP receiver on the loopback address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from dicom_node.radiograph import wrap_radiograph
from service.settings import Settings
from tests.radiographs import phantom
from tests.service_process import wait_for
from tests.worker.conftest import ConstantSuppressor, DirectHost, queue_job
from worker import traces
from worker.context import WorkerContext
from worker.infer import infer
from worker.traces import otlp, start_traces, tell_round


@dataclass
class Collector:
    """What came, as it came; answers `status`."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [s for one in requests for r in one.resource_spans for scope in r.scope_spans for s in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kept.status == 200:
                kept.bodies.append(body)
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


def later(context: WorkerContext, owner: str = "network-1") -> WorkerContext:
    return replace(context, owner=owner, clock=lambda: datetime.now(UTC) + timedelta(minutes=5))


def computed(context: WorkerContext) -> str:
    dataset = wrap_radiograph(phantom(1024).radiograph)
    dataset.PatientName, dataset.PatientID = "Secret^Name", "SECRET-ID"
    job_id = queue_job(context, dataset)
    assert infer(job_id, context, DirectHost(ConstantSuppressor(residual=0.01)))  # type: ignore[arg-type]
    return job_id


def told(context: WorkerContext, collector: Collector, reachable: bool = True) -> bool:
    return tell_round(context, otlp(collector.url), threading.Event(), reachable)


def test_the_trace_of_an_image_reaches_the_collector_under_its_job_id(
    context: WorkerContext, collector: Collector
) -> None:
    told(later(context), collector)
    job_id = computed(context)
    told(later(context), collector)
    spans = collector.spans()
    assert [span.name for span in spans] == ["wait", "compute"]
    assert {span.trace_id.hex() for span in spans} == {job_id.replace("-", "")}
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    attributes = {pair.key: pair.value.string_value for pair in spans[1].attributes}
    assert attributes["softray.job_id"] == job_id
    assert attributes["softray.to_state"] == "DERIVED"
    assert spans[1].status.code == Status.STATUS_CODE_UNSET
    assert not any(word in body for body in collector.bodies for word in (b"Secret", b"SECRET", b"1.2.", b"2.25."))


def test_no_span_is_lost_while_the_collector_is_away_and_none_told_twice(
    context: WorkerContext, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "TIMEOUT_S", 0.5)
    told(later(context), collector)
    computed(context)
    collector.status = 400
    assert not told(later(context), collector)
    collector.status = 200
    assert told(later(context, "network-2"), collector, reachable=False)
    assert told(later(context), collector)
    assert [span.name for span in collector.spans()] == ["wait", "compute"]


def test_what_happened_before_traces_were_turned_on_is_not_sent(context: WorkerContext, collector: Collector) -> None:
    computed(context)
    told(later(context), collector)
    told(later(context), collector)
    assert collector.spans() == []


def test_what_is_of_the_last_minute_waits(context: WorkerContext, collector: Collector) -> None:
    told(context, collector)
    computed(context)
    told(context, collector)
    assert collector.spans() == []
    told(later(context), collector)
    assert len(collector.spans()) == 2


def test_nothing_runs_unless_a_collector_is_named(context: WorkerContext) -> None:
    start_traces(context, Settings().traces_url, 0.01)
    assert "traces" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_tells_by_itself_and_stops(context: WorkerContext, collector: Collector) -> None:
    told(later(context), collector)
    computed(context)
    stop = start_traces(later(context), collector.url, 0.05)
    wait_for("both spans", lambda: len(collector.spans()) == 2, within_s=10)
    stop.set()
    wait_for("the thread's end", lambda: "traces" not in {t.name for t in threading.enumerate()}, within_s=10)
