"""Cancelling: what has not begun is not begun, what runs is given up, what was sent is said; a retry leads on."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import cancellation, deliveries, delivery_queue, jobs
from service.registry.job_states import DeliveryState, JobState
from service.registry.result_kinds import ResultKind
from tests.service.registry.factories import (
    LATER,
    LEASE_S,
    NOON,
    add_node,
    claimed,
    claimed_delivery,
    derived_facts,
    derived_job,
    detail,
    pending,
    queued_job,
    result_facts,
)

BONE = result_facts(kind=ResultKind.BONE, sop_instance_uid="2.25.43", path="derived/cc/c.dcm")


def cancel(sessions: sessionmaker[Session], job_id: str) -> cancellation.Cancellation:
    with transaction(sessions) as session:
        return cancellation.cancel(session, job_id, now=NOON)


def test_a_waiting_job_is_not_begun_and_can_be_retried(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    cancel(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.claim(session, job_id, owner="gpu", lease_s=LEASE_S, now=LATER) is None
        assert jobs.retry(session, job_id, now=NOON) is JobState.QUEUED
    claimed(sessions, job_id)


def test_a_worker_that_computes_loses_its_lease_and_its_result(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    cancel(sessions, job_id)
    with transaction(sessions) as session:
        assert not jobs.renew(session, claim, lease_s=LEASE_S, step=1, total_steps=2, now=NOON)
        assert not jobs.fail(session, claim, code="X", detail="", now=NOON)
    assert detail(sessions, job_id).summary.state is JobState.CANCELLED


def test_what_was_sent_is_said_and_what_waits_is_withdrawn(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions, result_facts(), BONE)
    first, second = pending(sessions, job_id)
    with transaction(sessions) as session:
        claim = deliveries.claim_delivery(session, first, owner="n", lease_s=LEASE_S, now=NOON)
        assert claim is not None
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    left = cancel(sessions, job_id)
    assert (left.withdrawn, left.sent, left.under_way) == (1, ("SOFT_TISSUE to pacs",), ())
    found = detail(sessions, job_id)
    assert [row.state for row in found.deliveries] == [DeliveryState.SENT, DeliveryState.CANCELLED]
    assert "sent already: SOFT_TISSUE to pacs" in (found.events[-1].detail or "")
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DERIVED
    assert pending(sessions, job_id) == [second]


@pytest.mark.parametrize("ends", ["sent", "postponed", "replaced", "lease"])
def test_what_is_on_its_way_ends_as_it_ends_and_is_not_tried_again(sessions: sessionmaker[Session], ends: str) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    [delivery_id] = pending(sessions, job_id)
    claim = claimed_delivery(sessions, delivery_id)
    assert cancel(sessions, job_id).under_way == ("SOFT_TISSUE to pacs",)
    with transaction(sessions) as session:
        if ends == "sent":
            assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
        elif ends == "postponed":
            assert deliveries.delivery_postponed(
                session, claim, code="NO_ANSWER", detail="", not_before=LATER, status=None, now=NOON
            )
        elif ends == "replaced":
            assert deliveries.delivery_replaced(session, claim, BONE, code="SOP_CLASS", status=0x0122, now=NOON)
        else:
            delivery_queue.due_deliveries(session, LATER, 10)
            assert (
                delivery_queue.claim_next_delivery(session, delivery_id, owner="n", lease_s=LEASE_S, now=LATER) is None
            )
    found = detail(sessions, job_id)
    assert found.summary.state is JobState.CANCELLED
    expected = DeliveryState.SENT if ends == "sent" else DeliveryState.CANCELLED
    assert [row.state for row in found.deliveries] == [expected]


def test_a_failed_job_is_put_aside(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.fail(session, claim, code="NO_CONTRAST", detail="", now=NOON)
    cancel(sessions, job_id)
    assert detail(sessions, job_id).summary.state is JobState.CANCELLED


def test_a_job_that_is_delivered_cannot_be_cancelled(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    with pytest.raises(cancellation.NotCancellableError, match="JOB_ENDED"):
        cancel(sessions, job_id)
    with pytest.raises(cancellation.NotCancellableError, match="JOB_UNKNOWN"):
        cancel(sessions, "no-such-job")


def test_what_is_computed_again_after_its_sender_died_leaves_the_queue_of_its_node_to_others(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    job_id, other = derived_job(sessions), derived_job(sessions)
    first, second = pending(sessions, job_id)[0], pending(sessions, other)[0]
    claimed_delivery(sessions, first)
    cancel(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON, recompute=True) is JobState.QUEUED
        delivery_queue.take_back_deliveries(session, LATER, 10)
    with transaction(sessions) as session:
        taken = delivery_queue.claim_next_delivery(session, first, owner="n", lease_s=LEASE_S, now=LATER)
        assert taken is not None
        assert taken.delivery_id == second
    claim = claimed(sessions, job_id, now=LATER)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(), now=LATER)
    assert pending(sessions, job_id, now=LATER) == [first]


def test_what_was_sent_while_its_job_was_computed_again_ends_the_job(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    sending = claimed_delivery(sessions, pending(sessions, job_id)[0])
    cancel(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON, recompute=True) is JobState.QUEUED
        assert deliveries.delivery_sent(session, sending, status=0, now=NOON)
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(), now=NOON)
    assert detail(sessions, job_id).summary.state is JobState.DELIVERED
