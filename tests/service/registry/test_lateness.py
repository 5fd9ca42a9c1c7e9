"""Deadlines and priorities of jobs: late once and for good, and a STAT result overtakes at its node."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.priorities import Deadlines, Priority
from service.registry import deliveries, delivery_queue, urgency
from service.registry.job_states import JobState
from service.registry.lateness import note_late_jobs
from service.registry.tables import Job
from service.registry.work_counts import count_work
from tests.service.registry.factories import (
    LEASE_S,
    NOON,
    add_node,
    claimed_delivery,
    derived_job,
    detail,
    pending,
    queued_job,
)

DEADLINES = Deadlines(stat_s=300, routine_s=3600)
DUE = NOON + timedelta(seconds=300)


def expect_by_due(sessions: sessionmaker[Session], job_id: str) -> None:
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == job_id).values(due_at=DUE))


def late(sessions: sessionmaker[Session], seconds: float) -> list[str]:
    with transaction(sessions) as session:
        found = note_late_jobs(session, now=DUE + timedelta(seconds=seconds), limit=10)
    return [job.job_id for job in found]


def deliver_at(sessions: sessionmaker[Session], job_id: str, seconds: float) -> None:
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, claim, status=0, now=DUE + timedelta(seconds=seconds))


def test_a_job_that_waits_past_its_deadline_is_late_once(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    expect_by_due(sessions, job_id)
    assert late(sessions, -1) == []
    assert late(sessions, 0) == [job_id]
    assert late(sessions, 1) == []
    found = detail(sessions, job_id)
    assert found.summary.late_at == DUE
    assert [event.event for event in found.events].count("late") == 1
    with transaction(sessions, read_only=True) as session:
        assert count_work(session).late == {("ROUTINE", "QUEUED"): 1}


def test_a_job_delivered_in_time_is_never_late(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    expect_by_due(sessions, job_id)
    deliver_at(sessions, job_id, -1)
    assert late(sessions, 100) == []


def test_a_job_delivered_too_late_between_two_sweeps_is_late_all_the_same(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    expect_by_due(sessions, job_id)
    deliver_at(sessions, job_id, 1)
    assert late(sessions, 2) == [job_id]
    assert detail(sessions, job_id).summary.state is JobState.DELIVERED


def test_stat_and_routine_have_deadlines_and_priors_none() -> None:
    assert DEADLINES.due_at(Priority.STAT, NOON) == DUE
    assert DEADLINES.due_at(Priority.ROUTINE, NOON) == NOON + timedelta(hours=1)
    assert DEADLINES.due_at(Priority.PRIOR, NOON) is None
    assert Deadlines().due_at(Priority.STAT, NOON) is None


def test_a_stat_result_overtakes_routine_ones_that_wait_for_the_same_node(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    routine, urgent = derived_job(sessions), derived_job(sessions)
    with transaction(sessions) as session:
        assert urgency.reprioritise(session, urgent, Priority.STAT, now=NOON, deadlines=DEADLINES) is Priority.ROUTINE
        [of_routine] = delivery_queue.pending_deliveries(session, routine, now=NOON)
        claim = delivery_queue.claim_next_delivery(session, of_routine, owner="n", lease_s=LEASE_S, now=NOON)
    assert claim is not None
    assert claim.job_id == urgent
    found = detail(sessions, urgent)
    assert (found.summary.priority, found.events[-2].event) == (Priority.STAT, "reprioritised")
    assert late(sessions, 0) == [urgent]


def test_a_job_that_has_ended_keeps_its_priority(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    deliver_at(sessions, job_id, 0)
    with pytest.raises(urgency.NotReprioritisableError, match="JOB_ENDED"), transaction(sessions) as session:
        urgency.reprioritise(session, job_id, Priority.STAT, now=NOON)
