"""When the deliveries of a job, taken together, decide its state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry import job_endings
from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Job, RemoteNode

DELIVERY_FAILED = "DELIVERY_FAILED"
_UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})
_PROVEN = frozenset({DeliveryState.COMMITTED, DeliveryState.VERIFIED})
_SETTLED_OTHERWISE = frozenset({DeliveryState.REPLACED, DeliveryState.DECLINED})


def settle_job(session: Session, job: Job, now: datetime) -> None:
    """End a DERIVED job whose last delivery has ended; `job` comes from `jobs.locked` in this transaction."""
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job.id)).all())
    if states & _UNSETTLED:
        return
    if DeliveryState.FAILED not in states:
        if job_endings.finish_delivered(session, job, now=now):
            # The others may have been proven while this last one was under way: no proof is to come that would tell.
            session.refresh(job)
            settle_proof(session, job, now)
        return
    failed = session.execute(
        select(RemoteNode.name, Delivery.reason_code)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(Delivery.job_id == job.id, Delivery.state == DeliveryState.FAILED)
        .order_by(RemoteNode.name)
    ).all()
    detail = ", ".join(f"{row.name} ({row.reason_code})" for row in failed)
    job_endings.finish_undelivered(session, job, code=DELIVERY_FAILED, detail=f"not delivered to {detail}", now=now)


def settle_proof(session: Session, job: Job, now: datetime) -> None:
    """DELIVERED to COMMITTED when all that was sent has been proven to be there; `job` comes from `jobs.locked`."""
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job.id)).all())
    if job.state is JobState.DELIVERED and states & _PROVEN and states <= _PROVEN | _SETTLED_OTHERWISE:
        job_endings.finish_committed(session, job, now=now)
