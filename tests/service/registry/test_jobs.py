from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import jobs
from service.registry.claims import Claim
from service.registry.due_jobs import due_jobs
from service.registry.job_states import JobState
from service.registry.tables import Job
from tests.service.registry.factories import (
    LATER,
    LEASE_S,
    NOON,
    add_node,
    at_once,
    claimed,
    derived_facts,
    derived_job,
    detail,
    queued_job,
)


def state(sessions: sessionmaker[Session], job_id: str) -> JobState:
    return detail(sessions, job_id).summary.state


def history(sessions: sessionmaker[Session], job_id: str) -> list[str]:
    return [event.event for event in detail(sessions, job_id).events]


def test_a_claim_carries_what_the_worker_needs(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    assert (claim.job_id, claim.attempts, claim.fencing_token) == (job_id, 1, 1)
    assert claim.source_path == f"source/aa/{claim.source_sha256}.dcm"
    assert state(sessions, job_id) is JobState.RUNNING
    assert history(sessions, job_id) == ["queued", "claimed"]


def test_a_job_under_a_running_lease_is_not_to_be_had(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.claim(session, job_id, owner="gpu-2", lease_s=LEASE_S, now=NOON + timedelta(seconds=29)) is None
        assert jobs.claim(session, "no such job", owner="gpu-2", lease_s=LEASE_S, now=NOON) is None


def test_of_simultaneous_claims_exactly_one_wins(sessions: sessionmaker[Session]) -> None:
    for _ in range(5):
        job_id = queued_job(sessions)

        def take(number: int, job_id: str = job_id) -> Claim | None:
            with transaction(sessions) as session:
                return jobs.claim(session, job_id, owner=f"gpu-{number}", lease_s=LEASE_S, now=NOON)

        assert sum(claim is not None for claim in at_once(8, take)) == 1
        assert history(sessions, job_id) == ["queued", "claimed"]


def test_of_simultaneous_claims_of_an_expired_lease_exactly_one_wins(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claimed(sessions, job_id)

    def take(number: int) -> Claim | None:
        with transaction(sessions) as session:
            return jobs.claim(session, job_id, owner=f"gpu-{number}", lease_s=LEASE_S, now=LATER)

    [winner] = [claim for claim in at_once(8, take) if claim is not None]
    assert (winner.attempts, winner.fencing_token) == (2, 2)
    assert history(sessions, job_id) == ["queued", "claimed", "lease_expired", "claimed"]


def test_a_renewed_lease_outlives_the_first(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    soon = NOON + timedelta(seconds=20)
    with transaction(sessions) as session:
        assert jobs.renew(session, claim, lease_s=LEASE_S, step=3, total_steps=20, now=soon)
    with transaction(sessions) as session:
        assert jobs.claim(session, job_id, owner="gpu-2", lease_s=LEASE_S, now=LATER) is None
    found = detail(sessions, job_id)
    assert (found.summary.step, found.summary.total_steps) == (3, 20)
    assert found.lease_expires_at == soon + timedelta(seconds=LEASE_S)


def test_whoever_lost_the_lease_can_neither_renew_nor_end_the_job(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    stale = claimed(sessions, job_id)
    current = claimed(sessions, job_id, now=LATER, owner="gpu-2")
    with transaction(sessions) as session:
        assert not jobs.renew(session, stale, lease_s=LEASE_S, step=1, total_steps=2, now=LATER)
        assert not jobs.record_derived(session, stale, derived_facts(), now=LATER)
        assert not jobs.release(session, stale, code="X", detail="", not_before=None, now=LATER)
        assert not jobs.fail(session, stale, code="X", detail="", now=LATER)
    assert state(sessions, job_id) is JobState.RUNNING
    with transaction(sessions) as session:
        assert jobs.record_derived(session, current, derived_facts(), now=LATER)
    assert state(sessions, job_id) is JobState.DERIVED


def test_a_result_plans_one_delivery_per_node_that_receives_results(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    add_node(sessions, "archive")
    add_node(sessions, "modality", may_send=True, receives_results=False)
    found = detail(sessions, derived_job(sessions))
    assert [delivery.remote_node for delivery in found.deliveries] == ["archive", "pacs"]
    assert ([made.path for made in found.results], found.preview_bone_path) == (
        ["derived/bb/b.dcm"],
        "preview/ee/e.png",
    )
    assert (found.summary.model_name, found.lease_owner) == ("bs-ldm-lite", None)


def test_without_a_destination_a_result_waits_and_says_so(sessions: sessionmaker[Session]) -> None:
    job_id = derived_job(sessions)
    assert state(sessions, job_id) is JobState.DERIVED
    assert history(sessions, job_id)[-1] == "waiting_for_destination"


def test_a_released_job_is_due_again_at_its_time_and_shows_why(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    due = NOON + timedelta(seconds=10)
    with transaction(sessions) as session:
        assert jobs.release(session, claim, code="OUT_OF_MEMORY", detail="8 GB", not_before=due, now=NOON)
    with transaction(sessions) as session:
        assert jobs.claim(session, job_id, owner="gpu-2", lease_s=LEASE_S, now=NOON + timedelta(seconds=9)) is None
        assert due_jobs(session, NOON + timedelta(seconds=9), 10) == []
        assert due_jobs(session, due, 10) == [job_id]
    assert detail(sessions, job_id).summary.reason_code == "OUT_OF_MEMORY"
    assert claimed(sessions, job_id, now=due).attempts == 2


def test_a_failed_job_keeps_its_reason_until_it_is_retried(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.fail(session, claim, code="PIXEL_DATA_TRUNCATED", detail="expected 8 bytes, found 7", now=NOON)
    summary = detail(sessions, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "PIXEL_DATA_TRUNCATED")
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.QUEUED
        assert due_jobs(session, NOON, 10) == [job_id]
    summary = detail(sessions, job_id).summary
    assert (summary.state, summary.reason_code, summary.attempts) == (JobState.QUEUED, None, 0)


@pytest.mark.parametrize("prepare", [queued_job, derived_job])
def test_only_a_failed_job_can_be_retried(sessions: sessionmaker[Session], prepare: object) -> None:
    job_id = prepare(sessions)  # type: ignore[operator]
    with pytest.raises(jobs.NotRetryableError, match="JOB_NOT_FAILED"), transaction(sessions) as session:
        jobs.retry(session, job_id, now=NOON)
    with pytest.raises(jobs.NotRetryableError, match="JOB_UNKNOWN"), transaction(sessions) as session:
        jobs.retry(session, "no such job", now=NOON)


def test_the_queue_depth_counts_what_still_needs_an_inference(sessions: sessionmaker[Session]) -> None:
    queued_job(sessions)
    claimed(sessions, queued_job(sessions))
    derived_job(sessions)
    with transaction(sessions, read_only=True) as session:
        assert jobs.queue_depth(session, at_most=10) == 2
        assert jobs.queue_depth(session, at_most=1) == 1


def test_the_sweep_takes_an_expired_lease_back_and_announces_the_job(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert due_jobs(session, NOON + timedelta(seconds=29), 10) == []
        assert due_jobs(session, LATER, 10) == [job_id]
    assert state(sessions, job_id) is JobState.QUEUED
    assert history(sessions, job_id) == ["queued", "claimed", "lease_expired"]


def test_the_sweep_announces_a_job_again_only_after_a_silence(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    with transaction(sessions) as session:
        assert due_jobs(session, NOON, 10) == [job_id]
        assert due_jobs(session, NOON + timedelta(seconds=29), 10) == []
        assert due_jobs(session, NOON + timedelta(seconds=30), 10) == [job_id]
        assert due_jobs(session, NOON + timedelta(seconds=59), 10) == []
        assert due_jobs(session, NOON + timedelta(seconds=60), 10) == [job_id]


def test_the_sweep_names_the_head_of_the_queue_and_what_comes_up_behind_it(sessions: sessionmaker[Session]) -> None:
    first, second, third = (queued_job(sessions, now=NOON + timedelta(seconds=s)) for s in (0, 1, 2))
    soon = NOON + timedelta(minutes=1)
    with transaction(sessions) as session:
        assert due_jobs(session, soon, 2) == [first, second]
        assert due_jobs(session, soon, 2) == []
    claimed(sessions, first, now=soon)
    with transaction(sessions) as session:
        assert due_jobs(session, soon, 2) == [third]


def test_two_sweepers_at_once_announce_every_job_once(sessions: sessionmaker[Session]) -> None:
    waiting = [queued_job(sessions) for _ in range(20)]
    running = [queued_job(sessions) for _ in range(5)]
    for job_id in running:
        claimed(sessions, job_id)

    def sweep(_: int) -> list[str]:
        with transaction(sessions) as session:
            return due_jobs(session, NOON + timedelta(minutes=5), 100)

    first, second = at_once(2, sweep)
    assert sorted(first + second) == sorted(waiting + running)


def test_a_change_and_its_history_are_rolled_back_together(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)

    def claim_and_die() -> None:
        with transaction(sessions) as session:
            jobs.claim(session, job_id, owner="gpu-1", lease_s=LEASE_S, now=NOON)
            raise RuntimeError("the worker dies before its commit")

    with pytest.raises(RuntimeError):
        claim_and_die()
    assert state(sessions, job_id) is JobState.QUEUED
    assert history(sessions, job_id) == ["queued"]


def test_a_note_tells_something_without_changing_the_state(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    with transaction(sessions) as session:
        jobs.note(session, job_id, "requeued_by_operator", "ticket 7", NOON)
        assert session.scalar(select(Job.state).where(Job.id == job_id)) is JobState.QUEUED
    assert detail(sessions, job_id).events[-1].detail == "ticket 7"
