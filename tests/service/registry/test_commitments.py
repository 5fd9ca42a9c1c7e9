"""Requests for commitment on both databases: planned, claimed and reported once, whoever comes at the same time."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from time import sleep

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import commitment_plan, commitments, deliveries
from service.registry import jobs as job_registry
from service.registry.commitment_claims import CommitmentPolicy, RequestClaim, Step
from service.registry.commitment_plan import plan_requests, reporting_callers
from service.registry.commitment_promises import claim_promise, record_promise
from service.registry.commitment_reports import ReportReception, record_report
from service.registry.job_states import CommitmentState, DeliveryState, JobState
from service.registry.known_instances import known_instances, received_instances
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.registry.tables import CommitmentRequest, Delivery, Job
from tests.service.registry.factories import (
    NOON,
    add_node,
    at_once,
    claimed_delivery,
    derived_job,
    detail,
    facts,
    pending,
    record,
    result_facts,
)

POLICY = CommitmentPolicy()
SOON = NOON + timedelta(seconds=10)
_serial = count(1)


@pytest.fixture(autouse=True)
def _pacs(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name="pacs",
            ae_title="PACS",
            host="127.0.0.1",
            port=104,
            may_send=False,
            receives_results=True,
            now=NOON,
            terms=DeliveryTerms(requests_commitment=True, verifies=True),
        )


def sent(sessions: sessionmaker[Session]) -> tuple[str, str]:
    """A job whose result was sent: job id and SOP Instance UID."""
    uid = f"2.25.8{next(_serial)}"
    job_id = derived_job(sessions, result_facts(sop_instance_uid=uid))
    [delivery_id] = pending(sessions, job_id)
    claim = claimed_delivery(sessions, delivery_id)
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    return job_id, uid


def plan(sessions: sessionmaker[Session]) -> list[int]:
    with transaction(sessions) as session:
        return plan_requests(session, POLICY, now=SOON)


def claim(sessions: sessionmaker[Session], request_id: int) -> RequestClaim | None:
    with transaction(sessions) as session:
        return commitments.claim_request(session, request_id, owner="n", lease_s=30, now=SOON)


def report(
    sessions: sessionmaker[Session], transaction_uid: str, committed: set[str], *, by: str = "PACS"
) -> ReportReception:
    with transaction(sessions) as session:
        return record_report(
            session,
            transaction_uid,
            reporting_ae_title=by,
            committed=committed,
            failed={},
            most_resends=3,
            now=SOON + timedelta(seconds=1),
        )


def test_a_delivery_is_in_one_request_whoever_plans_at_the_same_time(sessions: sessionmaker[Session]) -> None:
    jobs = [sent(sessions) for _ in range(5)]
    planned = [request_id for part in at_once(4, lambda _: plan(sessions)) for request_id in part]
    with sessions() as session:
        pointed = session.scalars(select(Delivery.commitment_request_id)).all()
    assert len(pointed) == len(jobs)
    assert None not in pointed
    claims = [made for request_id in planned if (made := claim(sessions, request_id)) is not None]
    assert sorted(i.sop_instance_uid for c in claims for i in c.instances) == sorted(uid for _, uid in jobs)


def test_a_request_is_claimed_by_one(sessions: sessionmaker[Session]) -> None:
    sent(sessions)
    [request_id] = plan(sessions)
    claims = [made for made in at_once(6, lambda _: claim(sessions, request_id)) if made is not None]
    assert len(claims) == 1
    assert (claims[0].step, claims[0].attempts) == (Step.ASK, 1)


def test_a_report_that_comes_several_times_at_once_is_recorded_once(sessions: sessionmaker[Session]) -> None:
    jobs = [sent(sessions) for _ in range(3)]
    [request_id] = plan(sessions)
    made = claim(sessions, request_id)
    assert made is not None
    answers = at_once(5, lambda _: report(sessions, made.transaction_uid, {uid for _, uid in jobs}))
    assert sorted(answers) == [ReportReception.KNOWN] * 4 + [ReportReception.RECORDED]
    for job_id, _ in jobs:
        found = detail(sessions, job_id)
        assert found.summary.state is JobState.COMMITTED
        assert [event.event for event in found.events].count("delivery_committed") == 1


def test_a_report_that_was_faster_than_the_answer_to_the_request_stays(sessions: sessionmaker[Session]) -> None:
    job_id, uid = sent(sessions)
    [request_id] = plan(sessions)
    made = claim(sessions, request_id)
    assert made is not None
    assert report(sessions, made.transaction_uid, {uid}) is ReportReception.RECORDED
    with transaction(sessions) as session:
        assert not commitments.request_accepted(session, made, timeout_s=60, now=SOON)
    with sessions() as session:
        assert session.scalars(select(CommitmentRequest.state)).one() is CommitmentState.REPORTED
    assert detail(sessions, job_id).summary.state is JobState.COMMITTED


def test_a_batch_holds_no_more_than_the_policy_says(sessions: sessionmaker[Session]) -> None:
    for _ in range(5):
        sent(sessions)
    with transaction(sessions) as session:
        planned = plan_requests(session, CommitmentPolicy(batch=2), now=SOON)
    assert len(planned) == 3


def test_a_long_backlog_is_planned_in_several_calls(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment_plan, "MOST_AT_ONCE", 2)
    for _ in range(3):
        sent(sessions)
    planned = []
    for _ in range(3):
        with transaction(sessions) as session:
            planned.append(len(plan_requests(session, CommitmentPolicy(batch=1), now=SOON)))
    assert planned == [2, 1, 0]


def test_an_expired_request_is_due_to_be_followed_up(sessions: sessionmaker[Session]) -> None:
    job_id, _ = sent(sessions)
    [request_id] = plan(sessions)
    made = claim(sessions, request_id)
    assert made is not None
    with transaction(sessions) as session:
        assert commitments.request_accepted(session, made, timeout_s=60, now=SOON)
        assert commitments.due_requests(session, now=SOON + timedelta(seconds=59), limit=10) == []
        later = SOON + timedelta(seconds=61)
        assert commitments.due_requests(session, now=later, limit=10) == [request_id]
        again = commitments.claim_request(session, request_id, owner="n", lease_s=30, now=later)
    assert again is not None
    assert (again.step, again.attempts, again.verifies) == (Step.VERIFY, 1, True)
    [delivery] = detail(sessions, job_id).deliveries
    assert delivery.state is DeliveryState.SENT


@pytest.mark.parametrize("committed", [True, False])
def test_a_report_counts_also_for_a_job_that_failed_elsewhere(sessions: sessionmaker[Session], committed: bool) -> None:
    add_node(sessions, "other")
    job_id = derived_job(sessions, result_facts(sop_instance_uid="2.25.77"))
    to_pacs, to_other = (claimed_delivery(sessions, delivery_id) for delivery_id in pending(sessions, job_id))
    with transaction(sessions) as session:
        assert deliveries.delivery_sent(session, to_pacs, status=0, now=NOON)
        assert deliveries.delivery_failed(session, to_other, code="REFUSED", detail="", status=0xC000, now=NOON)
    [request_id] = plan(sessions)
    made = claim(sessions, request_id)
    assert made is not None
    assert report(sessions, made.transaction_uid, {"2.25.77"} if committed else set()) is ReportReception.RECORDED
    found = detail(sessions, job_id)
    assert found.summary.state is JobState.FAILED
    states = {delivery.remote_node: delivery.state for delivery in found.deliveries}
    assert states == {
        "pacs": DeliveryState.COMMITTED if committed else DeliveryState.FAILED,
        "other": DeliveryState.FAILED,
    }
    with transaction(sessions) as session:
        assert job_registry.retry(session, job_id, now=SOON) is JobState.DERIVED
    assert len(pending(sessions, job_id)) == (1 if committed else 2)


def test_nodes_that_are_asked_may_associate_to_report(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions, read_only=True) as session:
        assert reporting_callers(session) == {"PACS"}


def test_a_promise_is_claimed_by_one(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        promise_id = record_promise(session, "PACS", "2.25.1", [("1.2", "2.25.2")], now=NOON)
    assert promise_id is not None

    def take(_: int) -> object:
        with transaction(sessions) as session:
            return claim_promise(session, promise_id, owner="n", lease_s=30, now=SOON)

    assert len([made for made in at_once(5, take) if made is not None]) == 1


def test_results_of_ours_are_known_and_not_received(sessions: sessionmaker[Session]) -> None:
    _, result_uid = sent(sessions)
    received = facts()
    with transaction(sessions) as session:
        record(session, received)
        asked = [result_uid, received.sop_instance_uid, *(f"2.25.9{number}" for number in range(1200))]
        assert known_instances(session, asked) == {result_uid, received.sop_instance_uid}
        assert received_instances(session, asked) == {received.sop_instance_uid}


def test_two_nodes_that_report_on_the_same_jobs_do_not_wait_for_each_other(sessions: sessionmaker[Session]) -> None:
    """One has lost what the other has, and the reverse: neither report may be the victim of a deadlock."""
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name="second",
            ae_title="SECOND",
            host="127.0.0.1",
            port=104,
            may_send=False,
            receives_results=True,
            now=NOON,
            terms=DeliveryTerms(requests_commitment=True),
        )
    uids = {derived_job(sessions, result_facts(sop_instance_uid=uid)): uid for uid in ("2.25.71", "2.25.72")}
    first, second = (uids[job_id] for job_id in sorted(uids))
    for job_id in uids:
        for delivery_id in pending(sessions, job_id):
            sending = claimed_delivery(sessions, delivery_id)
            with transaction(sessions) as session:
                assert deliveries.delivery_sent(session, sending, status=0, now=NOON)
    claims = [found for request_id in plan(sessions) if (found := claim(sessions, request_id)) is not None]
    assert len(claims) == 2
    committed = ({first}, {second})  # in the order of proof, then loss: first, second and second, first

    def tell(number: int) -> ReportReception:
        return report(sessions, claims[number].transaction_uid, committed[number])

    locked = job_registry.locked

    def slowly(session: Session, job_id: str) -> Job | None:
        held = locked(session, job_id)
        sleep(0.1)  # long enough for the other to hold its first job as well
        return held

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_registry, "locked", slowly)
        assert at_once(2, tell) == [ReportReception.RECORDED] * 2


def add_another(sessions: sessionmaker[Session], ae_title: str, host: str) -> None:
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name=ae_title.lower(),
            ae_title=ae_title,
            host=host,
            port=105,
            may_send=True,
            receives_results=False,
            now=NOON,
        )


def test_a_report_of_a_node_that_was_not_asked_proves_nothing(sessions: sessionmaker[Session]) -> None:
    job_id, uid = sent(sessions)
    [request_id] = plan(sessions)
    asking = claim(sessions, request_id)
    assert asking is not None
    add_another(sessions, "OTHER", "192.0.2.7")
    for stranger in ("OTHER", "UNKNOWN", ""):
        assert report(sessions, asking.transaction_uid, {uid}, by=stranger) is ReportReception.NOT_ASKED
        assert report(sessions, asking.transaction_uid, set(), by=stranger) is ReportReception.NOT_ASKED
    assert detail(sessions, job_id).summary.state is JobState.DELIVERED
    assert report(sessions, asking.transaction_uid, {uid}) is ReportReception.RECORDED
    assert detail(sessions, job_id).summary.state is JobState.COMMITTED


def test_an_archive_may_report_under_another_title_that_is_registered_at_its_host(
    sessions: sessionmaker[Session],
) -> None:
    job_id, uid = sent(sessions)
    [request_id] = plan(sessions)
    asking = claim(sessions, request_id)
    assert asking is not None
    add_another(sessions, "PACSCOMMIT", "127.0.0.1")
    assert report(sessions, asking.transaction_uid, {uid}, by="PACSCOMMIT") is ReportReception.RECORDED
    assert detail(sessions, job_id).summary.state is JobState.COMMITTED


def test_a_clock_that_was_set_back_between_sending_and_asking_loses_no_proof(sessions: sessionmaker[Session]) -> None:
    job_id, uid = sent(sessions)
    [request_id] = plan(sessions)
    with transaction(sessions) as session:
        asking = commitments.claim_request(session, request_id, owner="n", lease_s=30, now=NOON - timedelta(hours=1))
    assert asking is not None
    assert report(sessions, asking.transaction_uid, {uid}) is ReportReception.RECORDED
    assert detail(sessions, job_id).summary.state is JobState.COMMITTED


def test_a_request_that_ends_its_worker_each_time_goes_on_counting(sessions: sessionmaker[Session]) -> None:
    sent(sessions)
    [request_id] = plan(sessions)
    counted = []
    for hours in range(3):
        now = SOON + timedelta(hours=hours)
        with transaction(sessions) as session:
            held = commitments.claim_request(session, request_id, owner="n", lease_s=30, now=now)
        assert held is not None
        counted.append(held.attempts)
        with transaction(sessions) as session:  # whoever finds the lease run out asks under a fresh Transaction UID
            later = now + timedelta(minutes=30)
            assert commitments.claim_request(session, request_id, owner="n", lease_s=30, now=later) is None
            request_id = max(session.scalars(select(CommitmentRequest.id)))
    assert counted == [1, 2, 3]
