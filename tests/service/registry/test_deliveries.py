from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, delivery_queue, jobs
from service.registry.claims import DeliveryClaim
from service.registry.job_states import DeliveryState, JobState
from service.registry.remote_nodes import remove_remote_node
from service.registry.result_kinds import ResultKind
from service.routing import RouteSection, Routing
from tests.service.registry.factories import (
    LATER,
    LEASE_S,
    NOON,
    add_node,
    at_once,
    claimed_delivery,
    derived_job,
    detail,
    pending,
    result_facts,
)


def sent(sessions: sessionmaker[Session], claim: DeliveryClaim, status: int = 0x0000) -> bool:
    with transaction(sessions) as session:
        return deliveries.delivery_sent(session, claim, status=status, now=NOON)


def refused(sessions: sessionmaker[Session], claim: DeliveryClaim) -> bool:
    with transaction(sessions) as session:
        return deliveries.delivery_failed(
            session, claim, code="REFUSED_BY_PACS", detail="status 0xA900", status=0xA900, now=NOON
        )


@pytest.fixture
def two_nodes(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "archive")
    add_node(sessions, "pacs")


def test_a_claim_says_what_to_send_and_where(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    [delivery_id] = pending(sessions, derived_job(sessions))
    claim = claimed_delivery(sessions, delivery_id)
    assert (claim.result.path, claim.result.sop_instance_uid, claim.attempts) == ("derived/bb/b.dcm", "2.25.41", 1)
    assert (claim.node.name, claim.node.ae_title, claim.node.port) == ("pacs", "PACS", 104)


def test_the_job_is_delivered_when_its_last_delivery_is_sent(sessions: sessionmaker[Session], two_nodes: None) -> None:
    job_id = derived_job(sessions)
    first, second = pending(sessions, job_id)
    assert sent(sessions, claimed_delivery(sessions, first))
    assert detail(sessions, job_id).summary.state is JobState.DERIVED
    assert sent(sessions, claimed_delivery(sessions, second), status=0xB000)
    found = detail(sessions, job_id)
    assert found.summary.state is JobState.DELIVERED
    assert [delivery.dimse_status for delivery in found.deliveries] == [0x0000, 0xB000]


def test_one_refusal_fails_the_job_visibly_after_all_others_ended(
    sessions: sessionmaker[Session], two_nodes: None
) -> None:
    job_id = derived_job(sessions)
    first, second = pending(sessions, job_id)
    assert refused(sessions, claimed_delivery(sessions, first))
    assert detail(sessions, job_id).summary.state is JobState.DERIVED
    assert sent(sessions, claimed_delivery(sessions, second))
    summary = detail(sessions, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "DELIVERY_FAILED")
    assert summary.reason_detail == "not delivered to archive (REFUSED_BY_PACS)"


def test_a_retry_sends_again_only_what_failed(sessions: sessionmaker[Session], two_nodes: None) -> None:
    job_id = derived_job(sessions)
    first, second = pending(sessions, job_id)
    refused(sessions, claimed_delivery(sessions, first))
    sent(sessions, claimed_delivery(sessions, second))
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DERIVED
        assert delivery_queue.due_deliveries(session, NOON, 10) == [first]
    again = claimed_delivery(sessions, first)
    assert again.attempts == 1
    assert sent(sessions, again)
    assert detail(sessions, job_id).summary.state is JobState.DELIVERED


def test_deliveries_that_end_at_the_same_moment_still_end_the_job(
    sessions: sessionmaker[Session], two_nodes: None
) -> None:
    for _ in range(5):
        job_id = derived_job(sessions)
        claims = [claimed_delivery(sessions, delivery_id) for delivery_id in pending(sessions, job_id)]
        assert at_once(2, lambda number, claims=claims: sent(sessions, claims[number])) == [True, True]  # type: ignore[misc]
        assert detail(sessions, job_id).summary.state is JobState.DELIVERED


def test_of_simultaneous_claims_exactly_one_wins(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    for _ in range(5):
        [delivery_id] = pending(sessions, derived_job(sessions))

        def take(number: int, delivery_id: int = delivery_id) -> DeliveryClaim | None:
            with transaction(sessions) as session:
                return deliveries.claim_delivery(
                    session, delivery_id, owner=f"network-{number}", lease_s=LEASE_S, now=NOON
                )

        [won] = [claim for claim in at_once(8, take) if claim is not None]
        sent(sessions, won)


def test_a_sweep_beside_an_ending_delivery_neither_blocks_nor_undoes_it(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    for _ in range(10):
        job_id = derived_job(sessions)
        claim = claimed_delivery(sessions, pending(sessions, job_id)[0])

        def run(number: int, claim: DeliveryClaim = claim) -> object:
            if number == 0:
                return sent(sessions, claim)
            with transaction(sessions) as session:
                return delivery_queue.due_deliveries(session, LATER, 10)

        ended, swept = at_once(2, run)
        # Either the sender was first and nothing is due, or the sweep was and the sender has lost its lease.
        assert (ended, swept) in [(True, []), (False, [claim.delivery_id])]
        if not ended:
            assert sent(sessions, claimed_delivery(sessions, claim.delivery_id, now=LATER))
        assert detail(sessions, job_id).summary.state is JobState.DELIVERED


def test_whoever_lost_the_lease_cannot_end_the_delivery(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    [delivery_id] = pending(sessions, job_id)
    stale = claimed_delivery(sessions, delivery_id)
    current = claimed_delivery(sessions, delivery_id, now=LATER)
    assert not sent(sessions, stale)
    with transaction(sessions) as session:
        assert not deliveries.renew_delivery(session, stale, lease_s=LEASE_S, now=LATER)
        assert deliveries.renew_delivery(session, current, lease_s=LEASE_S, now=LATER)
    assert sent(sessions, current)
    assert [event.event for event in detail(sessions, job_id).events][-4:] == [
        "delivery_lease_expired",
        "delivery_claimed",
        "delivery_sent",
        "delivered",
    ]


def test_a_postponed_delivery_is_due_again_at_its_time(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_postponed(
            session, claim, code="NO_ANSWER", detail="timed out", not_before=LATER, status=None, now=NOON
        )
    with transaction(sessions) as session:
        early = deliveries.claim_delivery(session, claim.delivery_id, owner="n", lease_s=LEASE_S, now=NOON)
        assert early is None
        assert delivery_queue.due_deliveries(session, NOON, 10) == []
        assert delivery_queue.due_deliveries(session, LATER, 10) == [claim.delivery_id]
    [row] = detail(sessions, job_id).deliveries
    assert (row.state, row.reason_code, row.dimse_status) == (DeliveryState.PENDING, "NO_ANSWER", None)
    assert claimed_delivery(sessions, claim.delivery_id, now=LATER).attempts == 2


def test_a_result_that_waited_is_planned_once_a_destination_exists(sessions: sessionmaker[Session]) -> None:
    job_id = derived_job(sessions)
    with transaction(sessions) as session:
        assert delivery_queue.ensure_deliveries(session, NOON, routing=Routing()) == 0
    add_node(sessions, "pacs")

    def plan(_: int) -> int:
        with transaction(sessions) as session:
            return delivery_queue.ensure_deliveries(session, NOON, routing=Routing())

    assert sum(at_once(2, plan)) == 1
    assert len(pending(sessions, job_id)) == 1


def test_a_result_that_no_route_takes_does_not_hide_the_next_one(sessions: sessionmaker[Session]) -> None:
    bone = derived_job(sessions, result_facts(kind=ResultKind.BONE))
    soft_tissue = derived_job(sessions, now=LATER)
    add_node(sessions, "pacs")
    routing = Routing((RouteSection(to=("pacs",), results=(ResultKind.SOFT_TISSUE,)),))

    def plan(now: datetime) -> int:
        with transaction(sessions) as session:
            return delivery_queue.ensure_deliveries(session, now, routing=routing, limit=1)

    looked_at = [LATER + timedelta(seconds=number) for number in (1, 2)]
    assert [plan(now) for now in looked_at] == [0, 1]
    assert not pending(sessions, bone)
    assert len(pending(sessions, soft_tissue)) == 1


def test_removing_a_node_fails_what_waits_for_it_and_nothing_else(
    sessions: sessionmaker[Session], two_nodes: None
) -> None:
    job_id = derived_job(sessions)
    to_archive, to_pacs = pending(sessions, job_id)
    sending = claimed_delivery(sessions, to_pacs)
    with transaction(sessions) as session:
        assert remove_remote_node(session, "archive", now=NOON) == 1
        assert remove_remote_node(session, "pacs", now=NOON) == 0
    assert sent(sessions, sending)
    found = detail(sessions, job_id)
    assert found.summary.reason_detail == "not delivered to archive (DESTINATION_REMOVED)"
    assert [row.state for row in found.deliveries] == [DeliveryState.FAILED, DeliveryState.SENT]
    with transaction(sessions) as session:
        assert deliveries.claim_delivery(session, to_archive, owner="n", lease_s=LEASE_S, now=LATER) is None
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DELIVERED
    found = detail(sessions, job_id)
    assert [row.state for row in found.deliveries] == [DeliveryState.CANCELLED, DeliveryState.SENT]
    assert [e.detail for e in found.events if e.event == "deliveries_dropped"] == [
        "the remote node was removed: SOFT_TISSUE to archive"
    ]


def test_a_job_for_which_no_node_is_left_stays_failed_until_there_is_one(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    with transaction(sessions) as session:
        assert remove_remote_node(session, "pacs", now=NOON) == 1
    with pytest.raises(jobs.NotRetryableError, match="NO_DESTINATION"), transaction(sessions) as session:
        jobs.retry(session, job_id, now=NOON)
    assert detail(sessions, job_id).summary.state is JobState.FAILED
    add_node(sessions, "pacs")
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DERIVED
    assert len(pending(sessions, job_id)) == 1


def test_what_was_being_sent_when_its_node_was_removed_is_not_tried_there_again(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    [delivery_id] = pending(sessions, job_id)
    sending = claimed_delivery(sessions, delivery_id)
    with transaction(sessions) as session:
        remove_remote_node(session, "pacs", now=NOON)
        assert deliveries.delivery_postponed(
            session, sending, code="NO_ANSWER", detail="silent", not_before=LATER, status=None, now=NOON
        )
    with transaction(sessions) as session:
        assert deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=LEASE_S, now=LATER) is None
    found = detail(sessions, job_id)
    assert found.summary.state is JobState.FAILED
    assert [(row.state, row.reason_code) for row in found.deliveries] == [(DeliveryState.FAILED, "DESTINATION_REMOVED")]


def test_a_retry_goes_to_the_node_that_replaced_a_removed_one(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "old-pacs")
    job_id = derived_job(sessions)
    pending(sessions, job_id)
    with transaction(sessions) as session:
        remove_remote_node(session, "old-pacs", now=NOON)
    add_node(sessions, "new-pacs")
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DERIVED
    [delivery_id] = pending(sessions, job_id)
    assert claimed_delivery(sessions, delivery_id).node.name == "new-pacs"
