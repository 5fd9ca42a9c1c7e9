"""Which deliveries are to be announced: by job, by node, and by the sweep, each node with a share of its own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from service.registry.compare_and_swap import mark_announced, not_announced_lately
from service.registry.deliveries import expire_lease
from service.registry.delivery_plan import plan_deliveries
from service.registry.job_states import DeliveryState, JobState
from service.registry.jobs import SILENT_FOR_S
from service.registry.tables import Delivery, Job, RemoteNode
from service.routing import Routing


def ensure_deliveries(session: Session, now: datetime, *, routing: Routing, limit: int = 100) -> int:
    """Plan the deliveries of DERIVED jobs that have none, once a destination exists; returns how many it planned.

    Those that were looked at longest ago come first: jobs that no route takes hide nobody else's.
    """
    waiting = session.scalars(
        select(Job.id)
        .where(Job.state == JobState.DERIVED, ~exists().where(Delivery.job_id == Job.id))
        .order_by(Job.announced_at.asc().nulls_first(), Job.created_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    # Nobody is told of a DERIVED job: here the time says when a destination was last looked for.
    mark_announced(session, Job, waiting, now)
    return sum(plan_deliveries(session, job_id, now=now, routing=routing) for job_id in waiting)


def pending_deliveries(session: Session, job_id: str, *, now: datetime) -> list[int]:
    """The PENDING deliveries of a job that are due; the caller sends a message for each.

    Nothing is written: what the caller cannot send any more, the next sweep sends.
    """
    return list(
        session.scalars(
            select(Delivery.id)
            .where(
                Delivery.job_id == job_id,
                Delivery.state == DeliveryState.PENDING,
                or_(Delivery.not_before.is_(None), Delivery.not_before <= now),
            )
            .order_by(Delivery.id)
        )
    )


def due_deliveries(session: Session, now: datetime, limit: int, *, silent_for_s: float = SILENT_FOR_S) -> list[int]:
    """Take back expired leases, then name the PENDING deliveries to announce (again), and mark them announced.

    Every node that is not paused gets its share of `limit`, so that a long queue of one hides nobody else's.
    """
    expired = session.execute(
        select(Delivery.id, Delivery.job_id, Delivery.fencing_token)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.lease_expires_at <= now)
        .order_by(Delivery.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in expired:
        expire_lease(session, row.id, row.job_id, row.fencing_token, now)
    nodes = session.scalars(
        select(RemoteNode.id)
        .where(
            or_(RemoteNode.paused_until.is_(None), RemoteNode.paused_until <= now),
            exists().where(Delivery.remote_node_id == RemoteNode.id, Delivery.state == DeliveryState.PENDING),
        )
        .order_by(RemoteNode.id)
    ).all()
    silent = not_announced_lately(Delivery.announced_at, now, silent_for_s)
    due: list[int] = []
    for node_id in nodes:
        share = max(1, limit // len(nodes))
        due += session.scalars(
            _waiting_for(node_id, now).where(silent).limit(share).with_for_update(skip_locked=True, key_share=True)
        ).all()
    mark_announced(session, Delivery, due, now)
    return due


def next_delivery(session: Session, remote_node_id: int, *, now: datetime) -> int | None:
    """The delivery that has waited longest for this node; None: nothing waits. Nothing is written."""
    return session.scalar(_waiting_for(remote_node_id, now).limit(1))


def _waiting_for(remote_node_id: int, now: datetime) -> Select[int]:
    return (
        select(Delivery.id)
        .where(
            Delivery.remote_node_id == remote_node_id,
            Delivery.state == DeliveryState.PENDING,
            or_(Delivery.not_before.is_(None), Delivery.not_before <= now),
        )
        .order_by(Delivery.id)
    )
