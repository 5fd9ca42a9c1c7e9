"""Failed jobs by reason and node, many retried at once; a job of which nobody took anything has failed."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, jobs, queries
from service.registry.dead_letters import DeadLetterFilter, RetriedMany, retry_many
from service.registry.delivery_plan import WAITING_FOR_DESTINATION
from service.registry.delivery_queue import ensure_deliveries
from service.registry.job_search import JobFilter
from service.registry.job_states import DeliveryState, JobState
from service.registry.remote_nodes import remove_remote_node
from service.registry.work_counts import count_work
from tests.service.registry.factories import (
    NOON,
    add_node,
    claimed,
    claimed_delivery,
    derived_facts,
    derived_job,
    detail,
    pending,
    queued_job,
)


def failed(sessions: sessionmaker[Session], code: str) -> str:
    job_id = queued_job(sessions)
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.fail(session, claim, code=code, detail="", now=NOON)
    return job_id


def undelivered(sessions: sessionmaker[Session], code: str) -> str:
    """A job with one delivery, which failed for good."""
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_failed(session, claim, code=code, detail="", status=None, now=NOON)
    return job_id


def retried(
    sessions: sessionmaker[Session], reason: str | None = None, node: str | None = None, limit: int = 10
) -> RetriedMany:
    with transaction(sessions) as session:
        return retry_many(session, DeadLetterFilter(reason, node), limit=limit, now=NOON)


def test_many_jobs_of_one_reason_start_again_in_one_call_and_no_others(sessions: sessionmaker[Session]) -> None:
    wanted = [failed(sessions, "OUT_OF_MEMORY") for _ in range(3)]
    other = failed(sessions, "NO_CONTRAST")
    first = retried(sessions, "OUT_OF_MEMORY", limit=2)
    assert (len(first.retried), first.left) == (2, 1)
    second = retried(sessions, "OUT_OF_MEMORY")
    assert (len(second.retried), second.left) == (1, 0)
    assert {job_id for job_id, _ in [*first.retried, *second.retried]} == set(wanted)
    assert detail(sessions, other).summary.state is JobState.FAILED


def test_what_failed_at_one_node_is_found_by_its_name_and_by_the_deliverys_reason(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    job_id = undelivered(sessions, "NO_ANSWER")
    failed(sessions, "NO_CONTRAST")
    with transaction(sessions, read_only=True) as session:
        [found] = queries.list_jobs(session, JobFilter(reason="NO_ANSWER"))
    assert (found.job_id, found.reason_code) == (job_id, "DELIVERY_FAILED")
    assert retried(sessions, node="elsewhere").retried == []
    assert retried(sessions, node="pacs").retried == [(job_id, JobState.DERIVED)]


def test_one_that_cannot_be_retried_is_counted_and_stops_no_other(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    stuck = derived_job(sessions)
    with transaction(sessions) as session:
        remove_remote_node(session, "pacs", now=NOON)
    fine = failed(sessions, "OUT_OF_MEMORY")
    done = retried(sessions)
    assert done.retried == [(fine, JobState.QUEUED)]
    assert (done.refused, done.left) == ({"NO_DESTINATION": 1}, 1)
    assert detail(sessions, stuck).summary.state is JobState.FAILED


def test_a_job_of_which_no_node_took_anything_has_failed_and_can_be_offered_again(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_declined(
            session, claim, code="SOP_CLASS_NOT_SUPPORTED", detail="", status=0x0122, now=NOON
        )
    summary = detail(sessions, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "NOTHING_ACCEPTED")
    assert summary.reason_detail == "nothing was taken by pacs (SOP_CLASS_NOT_SUPPORTED)"
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON) is JobState.DERIVED
    assert [row.state for row in detail(sessions, job_id).deliveries] == [DeliveryState.PENDING]


def test_a_job_without_a_destination_says_so_until_there_is_one(sessions: sessionmaker[Session]) -> None:
    job_id = derived_job(sessions)
    assert detail(sessions, job_id).summary.reason_code == WAITING_FOR_DESTINATION
    with transaction(sessions, read_only=True) as session:
        assert count_work(session).waiting_for_destination == 1
    add_node(sessions, "pacs")
    with transaction(sessions) as session:
        assert ensure_deliveries(session, NOON, routing=jobs.EVERYWHERE) == 1
        assert count_work(session).waiting_for_destination == 0
    assert detail(sessions, job_id).summary.reason_code is None


def computed_again(sessions: sessionmaker[Session], job_id: str) -> None:
    with transaction(sessions) as session:
        assert jobs.retry(session, job_id, now=NOON, recompute=True) is JobState.QUEUED
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(), now=NOON)


def test_what_is_computed_again_is_offered_again_to_who_took_nothing(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        assert deliveries.delivery_declined(session, claim, code="SOP_CLASS", detail="", status=0x0122, now=NOON)
    computed_again(sessions, job_id)
    assert pending(sessions, job_id) == [claim.delivery_id]


def test_what_is_computed_again_ends_where_everybody_else_had_it_and_a_node_is_gone(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "archive")
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    with transaction(sessions) as session:
        claim = deliveries.claim_delivery(session, pending(sessions, job_id)[0], owner="n", lease_s=30, now=NOON)
        assert claim is not None
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
        remove_remote_node(session, "pacs", now=NOON)
    assert detail(sessions, job_id).summary.state is JobState.FAILED
    computed_again(sessions, job_id)
    found = detail(sessions, job_id)
    assert found.summary.state is JobState.DELIVERED
    assert [row.state for row in found.deliveries] == [DeliveryState.SENT, DeliveryState.CANCELLED]
