from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, jobs
from service.registry.job_states import DeliveryState, JobState
from service.registry.proofs import delivery_not_there, delivery_proven
from service.registry.result_kinds import ResultKind
from tests.service.registry.factories import (
    NOON,
    add_node,
    claimed_delivery,
    derived_job,
    detail,
    pending,
    result_facts,
)

BONE = result_facts(kind=ResultKind.BONE, sop_instance_uid="2.25.43", path="derived/cc/c.dcm")


@pytest.fixture
def delivered(sessions: sessionmaker[Session]) -> str:
    """A job of two results, both sent to one node."""
    add_node(sessions, "pacs")
    job_id = derived_job(sessions, result_facts(), BONE)
    for delivery_id in pending(sessions, job_id):
        claim = claimed_delivery(sessions, delivery_id)
        with transaction(sessions) as session:
            assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    assert detail(sessions, job_id).summary.state is JobState.DELIVERED
    return job_id


def prove(sessions: sessionmaker[Session], delivery_id: int, state: DeliveryState = DeliveryState.COMMITTED) -> bool:
    with transaction(sessions) as session:
        return delivery_proven(session, delivery_id, state=state, detail=None, now=NOON)


def lose(sessions: sessionmaker[Session], delivery_id: int, most_resends: int = 2) -> DeliveryState | None:
    with transaction(sessions) as session:
        return delivery_not_there(
            session, delivery_id, code="NOT_COMMITTED", detail="0x0112", most_resends=most_resends, now=NOON
        )


def test_the_job_is_committed_when_the_last_of_its_results_is_proven(
    sessions: sessionmaker[Session], delivered: str
) -> None:
    first, second = detail(sessions, delivered).deliveries
    assert prove(sessions, first.delivery_id)
    assert detail(sessions, delivered).summary.state is JobState.DELIVERED
    assert prove(sessions, second.delivery_id, DeliveryState.VERIFIED)
    found = detail(sessions, delivered)
    assert found.summary.state is JobState.COMMITTED
    assert [row.state for row in found.deliveries] == [DeliveryState.COMMITTED, DeliveryState.VERIFIED]


def test_the_job_is_committed_when_its_last_result_is_declined_after_all_others_are_proven(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    report = result_facts(kind=ResultKind.REPORT, sop_class_uid="1.2.840.10008.5.1.4.1.1.88.33")
    job_id = derived_job(sessions, result_facts(), report)
    image, declined = (claimed_delivery(sessions, delivery_id) for delivery_id in pending(sessions, job_id))
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, image, status=0, now=NOON)
    assert prove(sessions, image.delivery_id)
    assert detail(sessions, job_id).summary.state is JobState.DERIVED
    with transaction(sessions) as session:
        assert deliveries.delivery_declined(
            session, declined, code="SOP_CLASS_NOT_ACCEPTED", detail="not taken", status=None, now=NOON
        )
    assert detail(sessions, job_id).summary.state is JobState.COMMITTED


def test_what_was_proven_once_is_not_proven_again(sessions: sessionmaker[Session], delivered: str) -> None:
    first, _ = detail(sessions, delivered).deliveries
    assert prove(sessions, first.delivery_id)
    assert not prove(sessions, first.delivery_id)
    assert lose(sessions, first.delivery_id) is None


def test_what_the_node_does_not_have_is_sent_again(sessions: sessionmaker[Session], delivered: str) -> None:
    first, _ = detail(sessions, delivered).deliveries
    assert lose(sessions, first.delivery_id) is DeliveryState.PENDING
    assert detail(sessions, delivered).summary.state is JobState.DERIVED
    claim = claimed_delivery(sessions, first.delivery_id)
    assert claim.result.path == "derived/bb/b.dcm"
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    assert detail(sessions, delivered).summary.state is JobState.DELIVERED


def test_a_node_that_never_has_it_fails_the_job_visibly(sessions: sessionmaker[Session], delivered: str) -> None:
    first, _ = detail(sessions, delivered).deliveries
    assert lose(sessions, first.delivery_id, most_resends=0) is DeliveryState.FAILED
    summary = detail(sessions, delivered).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "DELIVERY_FAILED")
    assert summary.reason_detail == "not delivered to pacs (NOT_COMMITTED)"


def test_a_retry_may_send_again_as_often_as_the_first_time(sessions: sessionmaker[Session], delivered: str) -> None:
    first, _ = detail(sessions, delivered).deliveries
    assert lose(sessions, first.delivery_id, most_resends=0) is DeliveryState.FAILED
    with transaction(sessions) as session:
        assert jobs.retry(session, delivered, now=NOON) is JobState.DERIVED
    claim = claimed_delivery(sessions, first.delivery_id)
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    assert lose(sessions, first.delivery_id, most_resends=1) is DeliveryState.PENDING
