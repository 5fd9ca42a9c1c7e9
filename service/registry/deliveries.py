"""Deliveries: one derived instance to one remote node, with lease, fencing token and history like a job.

The last delivery that ends decides the job, by way of `jobs`. Every function that may end a delivery holds the job's
row first, so that two deliveries which end at the same moment do not each wait for the other. The caller commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.claims import DeliveryClaim as DeliveryClaim
from service.registry.claims import Destination as Destination
from service.registry.compare_and_swap import NO_LEASE, mark_announced, swap
from service.registry.delivery_plan import plan_deliveries
from service.registry.job_states import DeliveryState, JobState, check_delivery
from service.registry.tables import Delivery, Job, RemoteNode

DELIVERY_FAILED = "DELIVERY_FAILED"
DESTINATION_REMOVED = "DESTINATION_REMOVED"


def claim_delivery(
    session: Session, delivery_id: int, *, owner: str, lease_s: float, now: datetime
) -> DeliveryClaim | None:
    """Take a PENDING delivery that is due, or a SENDING one whose lease has run out; None: not to be had."""
    row = session.execute(
        select(Delivery, Job, RemoteNode)
        .join(Job, Job.id == Delivery.job_id)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(Delivery.id == delivery_id, Job.state == JobState.DERIVED)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    delivery, job, node = row
    if delivery.not_before is not None and delivery.not_before > now:
        return None
    if delivery.state is DeliveryState.SENDING:
        if not _expire(session, delivery_id, delivery.job_id, delivery.fencing_token, now):
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
    history = f"{node.name}: attempt {attempts} by {owner}"
    if not _move(session, seen, DeliveryState.SENDING, "delivery_claimed", history, values, now):
        return None
    assert job.derived_path is not None
    assert job.derived_sha256 is not None
    assert job.derived_sop_instance_uid is not None
    return DeliveryClaim(
        delivery_id=delivery_id,
        job_id=delivery.job_id,
        fencing_token=token,
        attempts=attempts,
        derived_path=job.derived_path,
        derived_sha256=job.derived_sha256,
        sop_instance_uid=job.derived_sop_instance_uid,
        node=Destination(node.name, node.ae_title, node.host, node.port),
    )


def renew_delivery(session: Session, claim: DeliveryClaim, *, lease_s: float, now: datetime) -> bool:
    """Extend the lease; False: somebody else owns the delivery now."""
    return _swap(session, _held(claim), {"lease_expires_at": now + timedelta(seconds=lease_s)}, now)


def delivery_sent(session: Session, claim: DeliveryClaim, *, status: int, now: datetime) -> bool:
    """SENDING to SENT; `status` is the DIMSE status of the C-STORE response, 0x0000 or a warning."""
    history = f"{claim.node.name}: status 0x{status:04X}"
    return _end(session, claim, DeliveryState.SENT, "delivery_sent", history, _response(status, None, None), now)


def delivery_postponed(
    session: Session,
    claim: DeliveryClaim,
    *,
    code: str,
    detail: str,
    not_before: datetime | None,
    status: int | None,
    now: datetime,
) -> bool:
    """SENDING to PENDING after a transient failure; `status` is None when no response came."""
    history = f"{claim.node.name}: {code}: {detail}"
    values = {"not_before": not_before, "announced_at": None, **_response(status, code, detail), **NO_LEASE}
    return _move(session, _held(claim), DeliveryState.PENDING, "delivery_postponed", history, values, now)


def delivery_failed(
    session: Session, claim: DeliveryClaim, *, code: str, detail: str, status: int | None, now: datetime
) -> bool:
    """SENDING to FAILED: this node will not take it, or the attempts are used up."""
    history = f"{claim.node.name}: {code}: {detail}"
    return _end(session, claim, DeliveryState.FAILED, "delivery_failed", history, _response(status, code, detail), now)


def ensure_deliveries(session: Session, now: datetime, limit: int = 100) -> int:
    """Plan the deliveries of DERIVED jobs that have none, once a destination exists; returns how many it planned."""
    waiting = session.scalars(
        select(Job.id)
        .where(Job.state == JobState.DERIVED, ~exists().where(Delivery.job_id == Job.id))
        .order_by(Job.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    return sum(plan_deliveries(session, job_id, now=now) for job_id in waiting)


def pending_deliveries(session: Session, job_id: str, *, now: datetime) -> list[int]:
    """The PENDING deliveries of a job, marked as announced: for whoever announces them after its commit."""
    pending = session.scalars(
        select(Delivery.id).where(Delivery.job_id == job_id, Delivery.state == DeliveryState.PENDING)
    ).all()
    mark_announced(session, Delivery, pending, now)
    return list(pending)


def due_deliveries(
    session: Session, now: datetime, limit: int, *, silent_for_s: float = jobs.SILENT_FOR_S
) -> list[int]:
    """Take back expired leases, then name the PENDING deliveries to announce (again), and mark them announced."""
    expired = session.execute(
        select(Delivery.id, Delivery.job_id, Delivery.fencing_token)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.lease_expires_at <= now)
        .order_by(Delivery.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in expired:
        _expire(session, row.id, row.job_id, row.fencing_token, now)
    silent_since = now - timedelta(seconds=silent_for_s)
    due = session.scalars(
        select(Delivery.id)
        .where(
            Delivery.state == DeliveryState.PENDING,
            or_(Delivery.not_before.is_(None), Delivery.not_before <= now),
            or_(Delivery.announced_at.is_(None), Delivery.announced_at <= silent_since),
        )
        .order_by(Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    mark_announced(session, Delivery, due, now)
    return list(due)


def abandon_deliveries(session: Session, remote_node_id: int, *, now: datetime) -> int:
    """Fail what still waits for a node that is being removed; what is being sent right now ends by itself."""
    waiting = session.execute(
        select(Delivery.id, Delivery.job_id)
        .where(Delivery.remote_node_id == remote_node_id, Delivery.state == DeliveryState.PENDING)
        .order_by(Delivery.job_id)
    ).all()
    abandoned = 0
    for row in waiting:
        job = jobs.locked(session, row.job_id)
        delivery = session.get(Delivery, row.id, populate_existing=True)
        if job is None or delivery is None or delivery.state is not DeliveryState.PENDING:
            continue
        detail = "the remote node was removed"
        seen = _Seen(row.id, row.job_id, DeliveryState.PENDING, delivery.fencing_token)
        values = _response(delivery.dimse_status, DESTINATION_REMOVED, detail)
        if _move(session, seen, DeliveryState.FAILED, "delivery_failed", detail, values, now):
            abandoned += 1
            _settle_job(session, job, now)
    return abandoned


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
    _settle_job(session, job, now)
    return True


def _settle_job(session: Session, job: Job, now: datetime) -> None:
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job.id)).all())
    if states & {DeliveryState.PENDING, DeliveryState.SENDING}:
        return
    if DeliveryState.FAILED not in states:
        jobs.finish_delivered(session, job, now=now)
        return
    failed = session.execute(
        select(RemoteNode.name, Delivery.reason_code)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(Delivery.job_id == job.id, Delivery.state == DeliveryState.FAILED)
        .order_by(RemoteNode.name)
    ).all()
    detail = ", ".join(f"{row.name} ({row.reason_code})" for row in failed)
    jobs.finish_undelivered(session, job, code=DELIVERY_FAILED, detail=f"not delivered to {detail}", now=now)


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


def _expire(session: Session, delivery_id: int, job_id: str, fencing_token: int, now: datetime) -> bool:
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
