"""One queued job becomes one stored derived instance, or one visible reason why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pydicom import Dataset

from dicom_node.radiograph import wrap_radiograph
from service.registry import jobs, queries, remote_nodes
from service.registry.job_states import JobPurpose, JobState
from tests.radiographs import phantom
from tests.worker.conftest import ConstantSuppressor, DirectHost, RecordingQueue, queue_job
from worker.context import WorkerContext
from worker.infer import infer
from worker.model_host import ModelHost


@pytest.fixture
def radiograph() -> Dataset:
    return wrap_radiograph(phantom(1024).radiograph)


def host(suppressor: ConstantSuppressor) -> ModelHost:
    return DirectHost(suppressor)  # type: ignore[return-value]


def job(context: WorkerContext, job_id: str) -> queries.JobSummary:
    with context.sessions() as session:
        detail = queries.job_detail(session, job_id)
    assert detail is not None
    return detail.summary


def test_a_queued_job_is_derived_stored_and_announced_for_delivery(context: WorkerContext, radiograph: Dataset) -> None:
    with context.sessions.begin() as session:
        remote_nodes.add_remote_node(
            session,
            name="pacs",
            ae_title="PACS",
            host="127.0.0.1",
            port=104,
            may_send=False,
            receives_results=True,
            now=context.clock(),
        )
    job_id = queue_job(context, radiograph)
    assert infer(job_id, context, host(ConstantSuppressor(residual=0.05)))
    row = job(context, job_id)
    assert row.state is JobState.DERIVED
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    assert len(queue.deliveries) == 1


def test_the_log_says_what_the_header_made_necessary(
    context: WorkerContext, radiograph: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    del radiograph.WindowCenter, radiograph.WindowWidth
    job_id = queue_job(context, radiograph)
    with caplog.at_level("INFO", logger="worker.infer"):
        assert infer(job_id, context, host(ConstantSuppressor()))
    [fields] = [vars(record)["fields"] for record in caplog.records if record.message == "derived"]
    assert fields["notes"] == "NO_VOI"


def test_a_job_that_is_done_is_not_done_again(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)
    assert infer(job_id, context, host(ConstantSuppressor()))
    assert not infer(job_id, context, host(ConstantSuppressor()))


def test_pixels_that_cannot_be_read_fail_the_job_with_their_code(context: WorkerContext, radiograph: Dataset) -> None:
    radiograph.PixelData = b"\0\0"
    job_id = queue_job(context, radiograph)
    assert not infer(job_id, context, host(ConstantSuppressor()))
    row = job(context, job_id)
    assert row.state is JobState.FAILED
    assert row.reason_code
    assert "PIXEL" in row.reason_code


def test_a_network_output_that_is_no_image_fails_the_job(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)
    infer(job_id, context, host(ConstantSuppressor(residual=float("nan"))))
    assert job(context, job_id).reason_code == "RESULT_REJECTED"


def test_running_out_of_memory_is_tried_again_later_and_then_fails(context: WorkerContext, radiograph: Dataset) -> None:
    def no_memory() -> None:
        raise MemoryError

    job_id = queue_job(context, radiograph)
    start = context.clock()
    for attempt in (1, 2, 3):
        later = replace(context, clock=lambda hours=attempt: start + timedelta(hours=hours))
        infer(job_id, later, host(ConstantSuppressor(before=no_memory)))
        row = job(context, job_id)
        assert row.state is (JobState.QUEUED if attempt < 3 else JobState.FAILED)
        assert row.reason_code == "OUT_OF_MEMORY"


def test_the_deadline_ends_an_image_that_takes_too_long(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)
    infer(job_id, replace(context, deadline_s=1e-9), host(ConstantSuppressor()))
    assert job(context, job_id).reason_code == "DEADLINE_EXCEEDED"


def test_a_stored_file_that_was_altered_is_never_processed(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)
    with context.sessions.begin() as session:
        claim = jobs.claim(session, job_id, owner="probe", lease_s=30, now=context.clock())
        assert claim is not None
        jobs.release(session, claim, code="PROBE", detail="", not_before=None, now=context.clock())
    path = context.store.resolve(claim.source_path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-2] + b"\1\2")
    infer(job_id, context, host(ConstantSuppressor()))
    row = job(context, job_id)
    assert (row.state, row.reason_code) == (JobState.FAILED, "STORED_FILE_ALTERED")


def test_a_worker_that_lost_its_lease_writes_nothing(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)

    def another_worker_takes_over() -> None:
        with context.sessions.begin() as session:
            later = context.clock() + timedelta(hours=1)
            assert jobs.claim(session, job_id, owner="other", lease_s=3600, now=later)

    assert not infer(job_id, context, host(ConstantSuppressor(before=another_worker_takes_over)))
    assert job(context, job_id).state is JobState.RUNNING


def test_an_image_that_keeps_killing_its_worker_fails_in_the_end(context: WorkerContext, radiograph: Dataset) -> None:
    job_id = queue_job(context, radiograph)
    now = context.clock()
    for hours in (1, 2, 3):
        with context.sessions.begin() as session:
            moment = now + timedelta(hours=hours)
            assert jobs.claim(session, job_id, owner="killed", lease_s=1, now=moment)
    infer(job_id, replace(context, clock=lambda: now + timedelta(hours=4)), host(ConstantSuppressor()))
    row = job(context, job_id)
    assert (row.state, row.reason_code) == (JobState.FAILED, "ATTEMPTS_EXHAUSTED")


def test_an_image_that_its_picture_shows_to_be_no_chest_is_refused_and_not_failed(
    context: WorkerContext, radiograph: Dataset
) -> None:
    blank = wrap_radiograph(np.full((1024, 1024), 0.4, np.float32) + np.linspace(0, 1e-3, 1024, dtype=np.float32))
    job_id = queue_job(context, blank)
    assert not infer(job_id, context, host(ConstantSuppressor()))
    row = job(context, job_id)
    assert (row.state, row.attempts) == (JobState.REFUSED, 1)
    assert row.reason_code is not None
    assert row.reason_code.startswith("IMAGE_")
    with context.sessions() as session:
        [refused] = queries.list_ineligible(session)
    assert refused.reason_code == row.reason_code
    assert context.queue.notices == []  # type: ignore[attr-defined]


def test_the_study_of_a_refused_picture_is_told_where_the_site_wants_it(context: WorkerContext) -> None:
    telling = replace(context, notice_refusals=True)
    upside_down = wrap_radiograph(np.ascontiguousarray(1.0 - phantom(1024).radiograph))
    job_id = queue_job(telling, upside_down)
    assert not infer(job_id, telling, host(ConstantSuppressor()))
    assert job(telling, job_id).reason_code == "POLARITY_SUSPECT"
    [notice] = telling.queue.notices  # type: ignore[attr-defined]
    assert job(telling, notice).purpose is JobPurpose.REFUSAL_NOTICE
