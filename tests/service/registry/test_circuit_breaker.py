from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, delivery_queue
from service.registry.circuit_breaker import BreakerPolicy, node_answered, node_failed
from service.registry.tables import RemoteNode
from tests.service.registry.factories import LEASE_S, NOON, add_node, derived_job, detail, pending

POLICY = BreakerPolicy(failures=3, first_s=10, longest_s=60)


def fail(sessions: sessionmaker[Session], name: str, times: int) -> None:
    with transaction(sessions) as session:
        node_id = session.scalar(select(RemoteNode.id).where(RemoteNode.name == name))
        assert node_id is not None
        for _ in range(times):
            node_failed(session, node_id, POLICY, now=NOON)


def claim(sessions: sessionmaker[Session], delivery_id: int, seconds: float = 0) -> deliveries.DeliveryClaim | None:
    with transaction(sessions) as session:
        now = NOON + timedelta(seconds=seconds)
        return deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=LEASE_S, now=now)


def test_the_pause_begins_with_the_third_failure_and_doubles_up_to_its_bound() -> None:
    assert [POLICY.pause_s(failures) for failures in range(8)] == [0, 0, 0, 10, 20, 40, 60, 60]


def test_a_node_that_does_not_answer_is_left_alone_and_costs_no_attempt(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "dead")
    [delivery_id] = pending(sessions, derived_job(sessions))
    fail(sessions, "dead", 3)
    assert claim(sessions, delivery_id) is None
    with transaction(sessions) as session:
        assert delivery_queue.due_deliveries(session, NOON + timedelta(seconds=9), 10, silent_for_s=1) == []
        assert delivery_queue.due_deliveries(session, NOON + timedelta(seconds=10), 10, silent_for_s=1) == [delivery_id]
    again = claim(sessions, delivery_id, 10)
    assert again is not None
    assert again.attempts == 1


def test_a_dead_node_holds_up_nobody_else(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "dead")
    add_node(sessions, "pacs")
    fail(sessions, "dead", 3)
    _, to_pacs = pending(sessions, derived_job(sessions))
    got = claim(sessions, to_pacs)
    assert got is not None
    assert got.node.name == "pacs"


def test_an_answer_closes_the_breaker(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    [delivery_id] = pending(sessions, derived_job(sessions))
    fail(sessions, "pacs", 5)
    with transaction(sessions) as session:
        [node_id] = session.scalars(select(RemoteNode.id)).all()
        assert node_answered(session, node_id)
        assert not node_answered(session, node_id)
    assert claim(sessions, delivery_id) is not None


def test_a_node_has_no_more_than_its_share_in_hand(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "slow")
    waiting = [pending(sessions, derived_job(sessions))[0] for _ in range(deliveries.AT_ONCE_PER_NODE + 1)]
    claims = [claim(sessions, delivery_id) for delivery_id in waiting]
    assert [one is not None for one in claims] == [True] * deliveries.AT_ONCE_PER_NODE + [False]


def test_a_long_queue_of_one_node_hides_nobody_elses_from_the_sweep(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "slow")
    for _ in range(5):
        derived_job(sessions)
    add_node(sessions, "pacs")
    last = derived_job(sessions)
    to_pacs = next(row.delivery_id for row in detail(sessions, last).deliveries if row.remote_node == "pacs")
    with transaction(sessions) as session:
        due = delivery_queue.due_deliveries(session, NOON, 4)
    assert to_pacs in due
    assert len(due) == 3
