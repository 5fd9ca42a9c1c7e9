"""Deliveries: one result to one remote node, with lease, fencing token and history like a job.

Each remote node has a queue of its own: a node that is paused, or has its hands full, holds up nobody else. The last
delivery that ends decides the job, by way of `settlement`. Every function that may end a delivery holds the job's row
first, so that two deliveries which end at the same moment do not each wait for the other. The caller commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.cancellation import cancel_recalled
from service.registry.claims import DeliveryClaim as DeliveryClaim
from service.registry.claims import ResultFacts as ResultFacts
from service.registry.compare_and_swap import NO_LEASE, swap
from service.registry.delivery_plan import DESTINATION_REMOVED as DESTINATION_REMOVED
from service.registry.delivery_plan import add_delivery
from service.registry.destinations import destination_of
from service.registry.job_states import DeliveryState, JobState, check_delivery
from service.registry.node_room import AT_ONCE_PER_NODE as AT_ONCE_PER_NODE
from service.registry.node_room import has_room
from service.registry.recalled import is_recalled
from service.registry.results import facts_of, record_replacement
from service.registry.settlement import settle_job
from service.registry.tables import Delivery, Instance, Job, RemoteNode, Result, Series, Study


def claim_delivery(
    session: Session, delivery_id: int, *, owner: str, lease_s: float, now: datetime
) -> DeliveryClaim | None:
    """Take a PENDING delivery that is due, or a SENDING one whose lease has run out; None: not to be had.

    Nor is it to be had while its node is paused, or has as many deliveries in hand as it may. Nothing more is sent to a
    node that was removed: what became PENDING after the removal fails here. A recalled job is cancelled.
    """
    row = session.execute(
        select(Delivery, Result, RemoteNode, Study.study_instance_uid, is_recalled(Job.id))
        .join(Job, Job.id == Delivery.job_id)
        .join(Result, Result.id == Delivery.result_id)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .where(Delivery.id == delivery_id, Job.state == JobState.DERIVED)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        _leave_queue_unless_derived(session, delivery_id, now)
        return None
    delivery, result, node, study_instance_uid, recalled = row
    if recalled:
        cancel_recalled(session, delivery.job_id, now=now)
        return None
    if node.removed_at is not None:
        _abandon(session, delivery_id, delivery.job_id, now)
        return None
    if delivery.not_before is not None and delivery.not_before > now:
        return None
    if not has_room(session, node.id, now):
        return None
    if delivery.state is DeliveryState.SENDING:
        if not expire_lease(session, delivery_id, delivery.job_id, delivery.fencing_token, now):
            return None
    elif delivery.state is not DeliveryState.PENDING:
        return None
    seen = _Seen(delivery_id, delivery.job_id, DeliveryState.PENDING, delivery.fencing_token)
    token, attempts = delivery.fencing_token + 1, delivery.attempts + 1
    values = {
        "fencing_token": token,
        "attempts": attempts,
        "not_before": None,
        "lease_owner": owner,
        "lease_expires_at": now + timedelta(seconds=lease_s),
    }
    history = f"{result.kind} to {node.name}: attempt {attempts} by {owner}"
    if not _move(session, seen, DeliveryState.SENDING, "delivery_claimed", history, values, now):
        return None
    return DeliveryClaim(
        delivery_id=delivery_id,
        job_id=delivery.job_id,
        fencing_token=token,
        attempts=attempts,
        study_instance_uid=study_instance_uid,
        result=facts_of(result),
        node=destination_of(node),
    )


def renew_delivery(session: Session, claim: DeliveryClaim, *, lease_s: float, now: datetime) -> bool:
    """Extend the lease; False: somebody else owns the delivery now."""
    return _swap(session, _held(claim), {"lease_expires_at": now + timedelta(seconds=lease_s)}, now)


def delivery_sent(session: Session, claim: DeliveryClaim, *, status: int, now: datetime) -> bool:
    """SENDING to SENT; `status` is the DIMSE status of the C-STORE response, 0x0000 or a warning."""
    history = f"{_what(claim)}: status 0x{status:04X}"
    values = {"sent_at": now, "commitment_request_id": None, **_response(status, None, None)}
    return _end(session, claim, DeliveryState.SENT, "delivery_sent", history, values, now)


def delivery_declined(
    session: Session, claim: DeliveryClaim, *, code: str, detail: str, status: int | None, now: datetime
) -> bool:
    """SENDING to DECLINED: the node takes no such objects, and the picture does not depend on this one."""
    history = f"{_what(claim)}: {code}: {detail}"
    values = _response(status, code, detail)
    return _end(session, claim, DeliveryState.DECLINED, "delivery_declined", history, values, now)


def delivery_replaced(
    session: Session, claim: DeliveryClaim, replacement: ResultFacts, *, code: str, status: int | None, now: datetime
) -> bool:
    """SENDING to REPLACED: the node takes no such objects, and gets `replacement` with the same picture instead."""
    history = f"{_what(claim)}: {code}: sent as Secondary Capture instead"
    values = {**_response(status, code, None), **NO_LEASE}
    job = jobs.locked(session, claim.job_id)
    replaced_id = session.scalar(select(Delivery.result_id).where(Delivery.id == claim.delivery_id))
    if job is None or replaced_id is None:
        return False
    if job.state is JobState.CANCELLED:
        return _withdraw(session, claim, {**_response(status, code, None), **NO_LEASE}, now)
    if not _move(session, _held(claim), DeliveryState.REPLACED, "delivery_replaced", history, values, now):
        return False
    result_id = record_replacement(session, claim.job_id, replaced_id, replacement, now=now)
    add_delivery(session, claim.job_id, result_id, claim.node.remote_node_id, now=now)
    return True


def delivery_postponed(
    session: Session,
    claim: DeliveryClaim,
    *,
    code: str,
    detail: str,
    not_before: datetime | None,
    status: int | None,
    now: datetime,
    counts: bool = True,
) -> bool:
    """SENDING to PENDING after a transient failure, or to CANCELLED if the job was; `status` None: no response came.

    `counts` False: the attempt is not spent, since the failure says nothing about the delivery.
    """
    history = f"{_what(claim)}: {code}: {detail}"
    values = {"not_before": not_before, "announced_at": None, **_response(status, code, detail), **NO_LEASE}
    if not counts:
        values["attempts"] = claim.attempts - 1
    job = jobs.locked(session, claim.job_id)
    if job is not None and job.state is JobState.CANCELLED:
        return _withdraw(session, claim, values | {"not_before": None}, now)
    return _move(session, _held(claim), DeliveryState.PENDING, "delivery_postponed", history, values, now)


def delivery_handed_back(session: Session, claim: DeliveryClaim, *, now: datetime) -> bool:
    """SENDING to PENDING because the worker stops: due at once, and without counting as an attempt."""
    values = {"attempts": claim.attempts - 1, "not_before": None, "announced_at": None, **NO_LEASE}
    job = jobs.locked(session, claim.job_id)
    if job is not None and job.state is JobState.CANCELLED:
        return _withdraw(session, claim, values, now)
    history = f"{_what(claim)}: the worker was stopped"
    return _move(session, _held(claim), DeliveryState.PENDING, "delivery_handed_back", history, values, now)


def delivery_failed(
    session: Session, claim: DeliveryClaim, *, code: str, detail: str, status: int | None, now: datetime
) -> bool:
    """SENDING to FAILED: this node will not take it, or the attempts are used up."""
    history = f"{_what(claim)}: {code}: {detail}"
    return _end(session, claim, DeliveryState.FAILED, "delivery_failed", history, _response(status, code, detail), now)


def abandon_deliveries(session: Session, remote_node_id: int, *, now: datetime) -> int:
    """Fail what still waits for a node that is being removed; what is being sent right now ends by itself."""
    waiting = session.execute(
        select(Delivery.id, Delivery.job_id)
        .where(Delivery.remote_node_id == remote_node_id, Delivery.state == DeliveryState.PENDING)
        .order_by(Delivery.job_id)
    ).all()
    return sum(_abandon(session, row.id, row.job_id, now) for row in waiting)


def _abandon(session: Session, delivery_id: int, job_id: str, now: datetime) -> bool:
    """PENDING to FAILED, because the node was removed; False: it is not PENDING."""
    job = jobs.locked(session, job_id)
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    if job is None or delivery is None or delivery.state is not DeliveryState.PENDING:
        return False
    detail = "the remote node was removed"
    seen = _Seen(delivery_id, job_id, DeliveryState.PENDING, delivery.fencing_token)
    values = _response(delivery.dimse_status, DESTINATION_REMOVED, detail)
    if not _move(session, seen, DeliveryState.FAILED, "delivery_failed", detail, values, now):
        return False
    settle_job(session, job, now)
    return True


def _withdraw(session: Session, claim: DeliveryClaim, values: dict[str, Any], now: datetime) -> bool:
    """SENDING to CANCELLED: its job was cancelled meanwhile, so it is not tried again."""
    history = f"{_what(claim)}: the job was cancelled meanwhile"
    return _move(session, _held(claim), DeliveryState.CANCELLED, "delivery_cancelled", history, values, now)


def _leave_queue_unless_derived(session: Session, delivery_id: int, now: datetime) -> None:
    """PENDING to CANCELLED where the job was cancelled while it was being sent by a worker that died.

    The job may have been retried since, to be computed again: what is made takes the delivery up again, and until then
    it must not stand before those that can be sent.
    """
    job_id = session.scalar(select(Delivery.job_id).where(Delivery.id == delivery_id))
    job = jobs.locked(session, job_id) if job_id is not None else None
    if job is None or job.state not in _NOTHING_TO_SEND:
        return
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    if delivery is None or delivery.state is not DeliveryState.PENDING:
        return
    seen = _Seen(delivery_id, job.id, DeliveryState.PENDING, delivery.fencing_token)
    detail = "the job was cancelled" if job.state is JobState.CANCELLED else "the job is computed again"
    _move(session, seen, DeliveryState.CANCELLED, "delivery_cancelled", detail, {"not_before": None}, now)


_NOTHING_TO_SEND = frozenset({JobState.CANCELLED, JobState.QUEUED, JobState.RUNNING, JobState.FAILED})


def _end(
    session: Session,
    claim: DeliveryClaim,
    target: DeliveryState,
    event: str,
    detail: str,
    values: dict[str, Any],
    now: datetime,
) -> bool:
    job = jobs.locked(session, claim.job_id)
    if job is None or not _move(session, _held(claim), target, event, detail, {**values, **NO_LEASE}, now):
        return False
    settle_job(session, job, now)
    return True


def _what(claim: DeliveryClaim) -> str:
    return f"{claim.result.kind} to {claim.node.name}"


@dataclass(frozen=True)
class _Seen:
    """What a change starts from; the row must still be so."""

    delivery_id: int
    job_id: str
    state: DeliveryState
    fencing_token: int


def _held(claim: DeliveryClaim) -> _Seen:
    return _Seen(claim.delivery_id, claim.job_id, DeliveryState.SENDING, claim.fencing_token)


def _response(status: int | None, code: str | None, detail: str | None) -> dict[str, Any]:
    return {"dimse_status": status, "reason_code": code, "reason_detail": detail}


def expire_lease(session: Session, delivery_id: int, job_id: str, fencing_token: int, now: datetime) -> bool:
    """SENDING to PENDING if the lease has run out by `now`; False: it has not, or somebody else was faster."""
    seen = _Seen(delivery_id, job_id, DeliveryState.SENDING, fencing_token)
    values = {"announced_at": None, **NO_LEASE}
    expired = Delivery.lease_expires_at <= now
    return _move(session, seen, DeliveryState.PENDING, "delivery_lease_expired", None, values, now, expired)


def _move(
    session: Session,
    seen: _Seen,
    target: DeliveryState,
    event: str,
    detail: str | None,
    values: dict[str, Any],
    now: datetime,
    *conditions: ColumnElement[bool],
) -> bool:
    check_delivery(seen.state, target)
    if not _swap(session, seen, {"state": target, **values}, now, *conditions):
        return False
    jobs.note(session, seen.job_id, event, detail, now)
    return True


def _swap(
    session: Session, seen: _Seen, values: dict[str, Any], now: datetime, *conditions: ColumnElement[bool]
) -> bool:
    return swap(session, Delivery, seen.delivery_id, seen.state, seen.fencing_token, values, now, *conditions)
