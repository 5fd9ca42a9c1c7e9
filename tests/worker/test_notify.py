"""A refusal that the study shows: a notice, made and delivered like a result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import ComprehensiveSRStorage

from dicom_node.radiograph import wrap_radiograph
from dicom_node.stand_in_pacs import StandInPacs
from service.registry import jobs
from service.registry.instances import Verdict
from service.registry.job_states import JobPurpose, JobState
from service.registry.result_kinds import ResultKind
from tests.dicom_validation import assert_valid
from tests.radiographs import phantom
from tests.worker.conftest import ConstantSuppressor, DirectHost, receive
from tests.worker.test_deliver import detail, pending, plan
from worker.context import WorkerContext
from worker.deliver import deliver
from worker.infer import infer
from worker.notify import notify
from worker.sweep import sweep


def refused_job(context: WorkerContext) -> str:
    dataset = wrap_radiograph(phantom(1024).radiograph, view_position="LL")
    recorded = receive(
        context, dataset, Verdict("VIEW_NOT_FRONTAL", "expected a frontal view, found 'LL'", notice=True)
    )
    assert recorded.job_id is None
    assert recorded.notice_job_id is not None
    return recorded.notice_job_id


def test_the_study_gets_a_report_of_why_there_is_no_companion(context: WorkerContext, tmp_path: Path) -> None:
    job_id = refused_job(context)
    assert notify(job_id, context)
    with StandInPacs(tmp_path / "pacs", sop_classes=[ComprehensiveSRStorage]) as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        assert deliver(delivery_id, context)
        [arrived] = pacs.wait_for(1, 10)
    found = detail(context, job_id)
    assert (found.summary.state, found.summary.purpose) == (JobState.DELIVERED, JobPurpose.REFUSAL_NOTICE)
    assert [made.kind for made in found.results] == [ResultKind.REFUSAL_NOTICE]
    assert_valid(arrived)
    assert "VIEW_NOT_FRONTAL" in str(dcmread(arrived))


def test_no_gpu_worker_takes_a_notice_for_an_image(context: WorkerContext) -> None:
    job_id = refused_job(context)
    assert not infer(job_id, context, DirectHost(ConstantSuppressor()))  # type: ignore[arg-type]
    assert detail(context, job_id).summary.state is JobState.QUEUED


def test_a_notice_is_made_once(context: WorkerContext) -> None:
    job_id = refused_job(context)
    assert notify(job_id, context)
    assert not notify(job_id, context)


def test_the_sweep_announces_a_notice_that_nobody_has_heard_of(context: WorkerContext) -> None:
    job_id = refused_job(context)
    with context.sessions.begin() as session:
        from service.registry.tables import Job

        job = session.get(Job, job_id)
        assert job is not None
        job.announced_at = None
    sweep(context)
    assert context.queue.notices == [job_id]  # type: ignore[attr-defined]
    assert context.queue.inferences == []  # type: ignore[attr-defined]


def test_a_stored_file_that_was_altered_fails_the_notice_visibly(context: WorkerContext) -> None:
    job_id = refused_job(context)
    source = context.store.resolve(detail(context, job_id).source_path)
    source.chmod(0o600)
    source.write_bytes(b"altered")
    assert not notify(job_id, context)
    summary = detail(context, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "STORED_FILE_ALTERED")


def test_a_notice_whose_worker_dies_every_time_is_given_up(context: WorkerContext) -> None:
    job_id = refused_job(context)
    start = context.clock()
    for hours in (1, 2, 3):
        with context.sessions.begin() as session:
            now = start + timedelta(hours=hours)
            assert jobs.claim(session, job_id, owner="x", lease_s=1, now=now, purpose=JobPurpose.REFUSAL_NOTICE)
    assert not notify(job_id, replace(context, clock=lambda: start + timedelta(hours=4)))
    summary = detail(context, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "ATTEMPTS_EXHAUSTED")
