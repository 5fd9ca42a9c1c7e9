"""Which deliveries a derived instance gets: one per remote node that receives results."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, exists, insert, select, update
from sqlalchemy.orm import Session

from service.registry.job_events import record_event
from service.registry.job_states import DeliveryState, check_delivery
from service.registry.tables import Delivery, RemoteNode


def plan_deliveries(session: Session, job_id: str, *, now: datetime) -> int:
    """Create a PENDING delivery to every node that receives results and has none of this job; returns how many."""
    planned = exists().where(Delivery.job_id == job_id, Delivery.remote_node_id == RemoteNode.id)
    nodes = session.execute(
        select(RemoteNode.id, RemoteNode.name)
        .where(RemoteNode.receives_results, RemoteNode.removed_at.is_(None), ~planned)
        .order_by(RemoteNode.id)
    ).all()
    for node in nodes:
        session.execute(
            insert(Delivery).values(
                job_id=job_id,
                remote_node_id=node.id,
                state=DeliveryState.PENDING,
                attempts=0,
                fencing_token=0,
                updated_at=now,
            )
        )
        record_event(session, job_id, "delivery_planned", now=now, detail=node.name)
    return len(nodes)


def reopen_failed_deliveries(session: Session, job_id: str, *, now: datetime) -> int:
    """Let the FAILED deliveries of a job start again from their first attempt; returns how many.

    Those to a node that has been removed since stay as they are.
    """
    check_delivery(DeliveryState.FAILED, DeliveryState.PENDING)
    present = select(RemoteNode.id).where(RemoteNode.removed_at.is_(None))
    reopened = session.execute(
        update(Delivery)
        .where(
            Delivery.job_id == job_id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.remote_node_id.in_(present),
        )
        .values(
            state=DeliveryState.PENDING,
            attempts=0,
            not_before=None,
            announced_at=None,
            fencing_token=Delivery.fencing_token + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(reopened, CursorResult)
    return reopened.rowcount
