"""When the deliveries of a job, taken together, decide its state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry import job_endings
from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Job, RemoteNode

DELIVERY_FAILED = "DELIVERY_FAILED"
NOTHING_ACCEPTED = "NOTHING_ACCEPTED"
_UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})
_PROVEN = frozenset({DeliveryState.COMMITTED, DeliveryState.VERIFIED})
_ACCEPTED = _PROVEN | {DeliveryState.SENT}
_SETTLED_OTHERWISE = frozenset({DeliveryState.REPLACED, DeliveryState.DECLINED, DeliveryState.CANCELLED})


def settle_job(session: Session, job: Job, now: datetime) -> None:
    """End a DERIVED job whose last delivery has ended; `job` comes from `jobs.locked` in this transaction.

    DELIVERED means that somebody has something of it: a job of which no node took anything has failed.
    """
    if job.state is not JobState.DERIVED:
        return
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job.id)).all())
    if states & _UNSETTLED:
        return
    if DeliveryState.FAILED not in states and states & _ACCEPTED:
        if job_endings.finish_delivered(session, job, now=now):
            # The others may have been proven while this last one was under way: no proof is to come that would tell.
            session.refresh(job)
            settle_proof(session, job, now)
        return
    code, words, ended_as = DELIVERY_FAILED, "not delivered to", DeliveryState.FAILED
    if DeliveryState.FAILED not in states:
        code, words, ended_as = NOTHING_ACCEPTED, "nothing was taken by", DeliveryState.DECLINED
    job_endings.finish_undelivered(session, job, code=code, detail=f"{words} {_who(session, job, ended_as)}", now=now)


def _who(session: Session, job: Job, state: DeliveryState) -> str:
    """The nodes whose deliveries ended in `state`, each with its reason."""
    rows = session.execute(
        select(RemoteNode.name, Delivery.reason_code)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(Delivery.job_id == job.id, Delivery.state == state)
        .distinct()
        .order_by(RemoteNode.name, Delivery.reason_code)
    ).all()
    return ", ".join(f"{row.name} ({row.reason_code})" for row in rows) or "any remote node"


def settle_proof(session: Session, job: Job, now: datetime) -> None:
    """DELIVERED to COMMITTED when all that was sent has been proven to be there; `job` comes from `jobs.locked`."""
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job.id)).all())
    if job.state is JobState.DELIVERED and states & _PROVEN and states <= _PROVEN | _SETTLED_OTHERWISE:
        job_endings.finish_committed(session, job, now=now)
