"""Which deliveries a job gets: one per result and remote node that receives it, as the site's routes say."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.orm import Session

from service.registry.job_events import record_event
from service.registry.job_states import DeliveryState, check_delivery
from service.registry.tables import Delivery, Instance, Job, RemoteNode, Result, Series
from service.routing import Routing, SourceFacts


def plan_deliveries(session: Session, job_id: str, *, now: datetime, routing: Routing) -> int:
    """Create the PENDING deliveries that the job lacks, every result to every node that takes it; returns how many."""
    source = _source(session, job_id)
    nodes = session.execute(
        select(RemoteNode.id, RemoteNode.name)
        .where(RemoteNode.receives_results, RemoteNode.removed_at.is_(None))
        .order_by(RemoteNode.id)
    ).all()
    results = session.execute(
        select(Result.id, Result.kind).where(Result.job_id == job_id, Result.replaces_id.is_(None)).order_by(Result.id)
    ).all()
    there = {
        (row.result_id, row.remote_node_id)
        for row in session.execute(
            select(Delivery.result_id, Delivery.remote_node_id).where(Delivery.job_id == job_id)
        ).all()
    }
    planned = 0
    for node in nodes:
        for result in results:
            if (result.id, node.id) in there or not routing.takes(node.name, result.kind, source):
                continue
            add_delivery(session, job_id, result.id, node.id, now=now)
            record_event(session, job_id, "delivery_planned", now=now, detail=f"{result.kind} to {node.name}")
            planned += 1
    return planned


def add_delivery(session: Session, job_id: str, result_id: int, remote_node_id: int, *, now: datetime) -> None:
    """A PENDING delivery."""
    session.execute(
        insert(Delivery).values(
            job_id=job_id,
            result_id=result_id,
            remote_node_id=remote_node_id,
            state=DeliveryState.PENDING,
            attempts=0,
            resends=0,
            fencing_token=0,
            updated_at=now,
        )
    )


def _source(session: Session, job_id: str) -> SourceFacts:
    row = session.execute(
        select(Instance.calling_ae_title, Instance.body_part, Series.modality)
        .join(Job, Job.instance_id == Instance.id)
        .join(Series, Series.id == Instance.series_id)
        .where(Job.id == job_id)
    ).one()
    return SourceFacts(row.calling_ae_title, row.modality, row.body_part)


def reopen_failed_deliveries(session: Session, job_id: str, *, now: datetime) -> int:
    """Let the FAILED deliveries of a job start again, with all attempts and resends before them; returns how many.

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
            resends=0,
            not_before=None,
            announced_at=None,
            fencing_token=Delivery.fencing_token + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(reopened, CursorResult)
    return reopened.rowcount
