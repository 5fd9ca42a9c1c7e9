"""Whatever stands due in the registry is announced again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from dicom_node.radiograph import wrap_radiograph
from service.registry import jobs
from service.registry.next_job import claim_next
from tests.worker.conftest import RecordingQueue, queue_job
from worker.context import WorkerContext
from worker.sweep import sweep


@pytest.fixture
def job_id(context: WorkerContext) -> str:
    return queue_job(context, wrap_radiograph(np.full((1024, 1024), 0.3, dtype=np.float32)))


def announced(context: WorkerContext) -> list[str]:
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    return queue.inferences


def at(context: WorkerContext, **later: float) -> WorkerContext:
    moment = context.clock() + timedelta(**later)
    return replace(context, clock=lambda: moment)


def test_a_job_whose_message_was_lost_is_announced_again(context: WorkerContext, job_id: str) -> None:
    assert sweep(at(context, minutes=2)) == 1
    assert announced(context) == [job_id]


def test_a_job_that_nobody_is_known_to_have_announced_is_announced_by_the_next_sweep(
    context: WorkerContext, job_id: str
) -> None:
    assert sweep(context) == 1
    assert announced(context) == [job_id]


def test_a_job_that_was_announced_just_now_is_left_alone(context: WorkerContext, job_id: str) -> None:
    sweep(context)
    assert sweep(at(context, seconds=4)) == 0


def test_an_announcement_that_the_broker_did_not_take_is_made_by_the_next_sweep(
    context: WorkerContext, job_id: str
) -> None:
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    queue.takes_messages = False
    assert sweep(context) == 0
    queue.takes_messages = True
    assert sweep(context) == 1


def test_a_broker_without_any_message_has_lost_it_and_one_with_messages_may_have_it(
    context: WorkerContext, job_id: str
) -> None:
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    sweep(context)
    queue.messages_waiting = 1
    assert sweep(at(context, seconds=29)) == 0
    queue.messages_waiting = 0
    assert sweep(at(context, seconds=6)) == 1


def test_a_clock_that_is_set_back_delays_no_announcement(context: WorkerContext, job_id: str) -> None:
    sweep(at(context, hours=1))
    assert sweep(context) == 1


def test_a_job_whose_worker_died_is_announced_when_its_lease_has_run_out(context: WorkerContext, job_id: str) -> None:
    with context.sessions.begin() as session:
        assert jobs.claim(session, job_id, owner="dead", lease_s=30, now=context.clock())
    assert sweep(at(context, seconds=20)) == 0
    assert sweep(at(context, seconds=31)) == 1
    assert announced(context) == [job_id]


def test_a_job_that_waits_for_its_next_attempt_is_not_announced_before_its_time(
    context: WorkerContext, job_id: str
) -> None:
    now = context.clock()
    with context.sessions.begin() as session:
        claim = jobs.claim(session, job_id, owner="worker", lease_s=30, now=now)
        assert claim is not None
        jobs.release(session, claim, code="OUT_OF_MEMORY", detail="", not_before=now + timedelta(minutes=10), now=now)
    assert sweep(at(context, minutes=9)) == 0
    assert sweep(at(context, minutes=11)) == 1


@pytest.mark.parametrize("waiting", [None, 1000])
def test_a_broker_that_is_away_or_full_of_messages_gets_no_more(
    context: WorkerContext, job_id: str, waiting: int | None
) -> None:
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    queue.messages_waiting = waiting
    assert sweep(at(context, minutes=2)) == 0
    queue.messages_waiting = 0
    assert sweep(at(context, minutes=2)) == 1
    assert announced(context) == [job_id]


@pytest.mark.parametrize("messages", [500, None])
def test_what_a_worker_held_that_died_is_due_again_however_many_messages_wait(
    context: WorkerContext, job_id: str, messages: int | None
) -> None:
    queue = context.queue
    assert isinstance(queue, RecordingQueue)
    with context.sessions.begin() as session:
        assert jobs.claim(session, job_id, owner="gpu", lease_s=30, now=context.clock()) is not None
    queue.messages_waiting = messages
    later = at(context, minutes=2)
    assert sweep(later) == 0
    with context.sessions.begin() as session:
        claim = claim_next(session, owner="gpu-2", lease_s=30, now=later.clock(), chance=0.5, hinted="another")
    assert claim is not None
    assert claim.job_id == job_id
