"""What holds of a registry at every moment, whatever has happened to it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry.job_states import TRANSITIONS, CommitmentState, DeliveryState, JobPurpose, JobState
from service.registry.tables import CommitmentRequest, Delivery, Instance, Job, JobEvent, Result

UNDER_WAY = {DeliveryState.PENDING, DeliveryState.SENDING}
PROVEN = {DeliveryState.COMMITTED, DeliveryState.VERIFIED}
LEFT_OUT = {DeliveryState.REPLACED, DeliveryState.DECLINED}
NOT_SENT = {*LEFT_OUT, DeliveryState.CANCELLED}


@dataclass(frozen=True)
class Registry:
    """All rows, read at one moment."""

    instances: list[Instance]
    jobs: list[Job]
    results: dict[str, list[Result]]
    deliveries: dict[str, list[Delivery]]
    requests: list[CommitmentRequest]
    events: dict[str, list[JobEvent]]


def read_registry(session: Session) -> Registry:
    """Read everything."""
    results: dict[str, list[Result]] = defaultdict(list)
    sent: dict[str, list[Delivery]] = defaultdict(list)
    events: dict[str, list[JobEvent]] = defaultdict(list)
    for result in session.scalars(select(Result).order_by(Result.id)):
        results[result.job_id].append(result)
    for delivery in session.scalars(select(Delivery).order_by(Delivery.id)):
        sent[delivery.job_id].append(delivery)
    for event in session.scalars(select(JobEvent).order_by(JobEvent.id)):
        events[event.job_id].append(event)
    return Registry(
        list(session.scalars(select(Instance))),
        list(session.scalars(select(Job))),
        results,
        sent,
        list(session.scalars(select(CommitmentRequest))),
        events,
    )


def check_registry(registry: Registry, acknowledged: dict[str, str]) -> None:
    """Raise AssertionError if anything that was promised does not hold."""
    _check_acknowledged(registry, acknowledged)
    for job in registry.jobs:
        _check_job(job, registry)
        _check_history(job, registry.events[job.id])
    for of_job in registry.deliveries.values():
        _check_deliveries(of_job)
    for request in registry.requests:
        _check_request(request)


def _check_acknowledged(registry: Registry, acknowledged: dict[str, str]) -> None:
    kept = {instance.sop_instance_uid: instance for instance in registry.instances}
    jobs = {(job.instance_id, job.purpose) for job in registry.jobs}
    assert len(jobs) == len(registry.jobs), "two jobs for one instance and purpose"
    assert kept.keys() == acknowledged.keys()
    for uid, sha256 in acknowledged.items():
        instance = kept[uid]
        assert instance.sha256 == sha256, "the first content was not kept"
        assert instance.eligible == (instance.reason_code is None)
        assert (instance.id, JobPurpose.SUPPRESS) in jobs or instance.reason_code, f"{uid} was forgotten"


def _check_job(job: Job, registry: Registry) -> None:
    _check_lease(job, job.state is JobState.RUNNING)
    states = {delivery.state for delivery in registry.deliveries[job.id]}
    results = registry.results[job.id]
    match job.state:
        case JobState.QUEUED | JobState.RUNNING | JobState.REFUSED:
            assert not results
            assert not states
        case JobState.DERIVED:
            assert results
            assert not states or states & UNDER_WAY, "all is settled, and the job does not know"
        case JobState.DELIVERED | JobState.COMMITTED:
            assert states, "delivered to nobody"
            assert not states & (UNDER_WAY | {DeliveryState.FAILED})
            if job.state is JobState.COMMITTED:
                assert states <= PROVEN | NOT_SENT
            else:
                assert not (states & PROVEN and states <= PROVEN | NOT_SENT), "all is proven, and the job does not know"
        case JobState.FAILED:
            assert not states & UNDER_WAY
            # Or no node took any of them.
            assert not results or DeliveryState.FAILED in states or states <= NOT_SENT
        case JobState.CANCELLED:
            assert results or not states
    if job.state in {JobState.FAILED, JobState.REFUSED, JobState.CANCELLED}:
        assert job.reason_code, f"{job.state} without a reason"


def _check_deliveries(of_job: list[Delivery]) -> None:
    assert len({(one.result_id, one.remote_node_id) for one in of_job}) == len(of_job)
    for one in of_job:
        _check_lease(one, one.state is DeliveryState.SENDING)
        if one.state in {DeliveryState.FAILED, *LEFT_OUT}:
            assert one.reason_code, f"{one.state} without a reason"
        if one.state in {DeliveryState.SENT, *PROVEN}:
            assert one.sent_at is not None
            assert one.dimse_status is not None


def _check_request(request: CommitmentRequest) -> None:
    assert (request.lease_owner is None) == (request.lease_expires_at is None)
    if request.state in {CommitmentState.REPORTED, CommitmentState.REQUESTED}:
        assert request.lease_owner is None
        assert request.requested_at is not None
    if request.state is CommitmentState.REQUESTED:
        assert request.expires_at is not None, "nobody would notice that no report comes"


def _check_lease(row: Job | Delivery, in_hand: bool) -> None:
    assert (row.lease_owner is not None) == in_hand
    assert (row.lease_expires_at is not None) == in_hand
    assert row.fencing_token >= in_hand


def _check_history(job: Job, events: list[JobEvent]) -> None:
    changes = [event for event in events if event.to_state is not None]
    assert changes, "a job without a history"
    assert (changes[0].from_state, changes[0].to_state) == (None, JobState.QUEUED)
    for earlier, later in itertools.pairwise(changes):
        assert later.from_state is earlier.to_state, f"{[(e.event, e.from_state, e.to_state) for e in changes]}"
        assert later.to_state in TRANSITIONS[later.from_state]
    assert changes[-1].to_state is job.state
