"""Which deliveries a job gets: one per result and remote node that receives it, as the site's routes say."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import CursorResult, exists, insert, select, update
from sqlalchemy.orm import Session

from service.registry.job_events import record_event
from service.registry.job_states import DeliveryState, JobPurpose, JobState, check_delivery
from service.registry.recalled import nodes_to_tell
from service.registry.tables import Delivery, Instance, Job, RemoteNode, Result, Series
from service.routing import Routing, SourceFacts

WAITING_FOR_DESTINATION = "WAITING_FOR_DESTINATION"
DESTINATION_REMOVED = "DESTINATION_REMOVED"
_WAITING = "no remote node receives results of this image, or no route names one"


def plan_deliveries(session: Session, job_id: str, *, now: datetime, routing: Routing) -> int:
    """Create the PENDING deliveries that the job lacks, every result to every node that takes it; returns how many.

    A rejection note goes wherever what it takes back went, whatever the routes say now.
    """
    source, purpose = _source(session, job_id)
    retracts = purpose is JobPurpose.RETRACTION
    gets = RemoteNode.id.in_(nodes_to_tell(job_id)) if retracts else RemoteNode.receives_results
    nodes = session.execute(
        select(RemoteNode.id, RemoteNode.name).where(gets, RemoteNode.removed_at.is_(None)).order_by(RemoteNode.id)
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
            if (result.id, node.id) in there or not (retracts or routing.takes(node.name, result.kind, source)):
                continue
            add_delivery(session, job_id, result.id, node.id, now=now)
            record_event(session, job_id, "delivery_planned", now=now, detail=f"{result.kind} to {node.name}")
            planned += 1
    return planned


def plan_or_wait(session: Session, job_id: str, *, now: datetime, routing: Routing) -> int:
    """Plan the deliveries of a DERIVED job; with no destination its reason says that it waits for one.

    Returns how many were planned. `announced_at` of a job that waits is when a destination was last looked for.
    """
    planned = plan_deliveries(session, job_id, now=now, routing=routing)
    waits = planned == 0 and not session.scalar(select(exists().where(Delivery.job_id == job_id)))
    waited = session.scalar(select(Job.reason_code).where(Job.id == job_id)) == WAITING_FOR_DESTINATION
    if waits and not waited:
        record_event(session, job_id, "waiting_for_destination", now=now)
    if waits or waited:
        code, detail = (WAITING_FOR_DESTINATION, _WAITING) if waits else (None, None)
        marked = update(Job).where(Job.id == job_id, Job.state == JobState.DERIVED)
        session.execute(
            marked.values(reason_code=code, reason_detail=detail, announced_at=now).execution_options(
                synchronize_session=False
            )
        )
    return planned


def add_delivery(session: Session, job_id: str, result_id: int, remote_node_id: int, *, now: datetime) -> None:
    """A PENDING delivery, as urgent as its job."""
    session.execute(
        insert(Delivery).values(
            job_id=job_id,
            result_id=result_id,
            remote_node_id=remote_node_id,
            state=DeliveryState.PENDING,
            priority=select(Job.priority).where(Job.id == job_id).scalar_subquery(),
            attempts=0,
            resends=0,
            fencing_token=0,
            updated_at=now,
        )
    )


def _source(session: Session, job_id: str) -> tuple[SourceFacts, JobPurpose]:
    row = session.execute(
        select(Instance.calling_ae_title, Instance.body_part, Series.modality, Job.purpose)
        .join(Job, Job.instance_id == Instance.id)
        .join(Series, Series.id == Instance.series_id)
        .where(Job.id == job_id)
    ).one()
    return SourceFacts(row.calling_ae_title, row.modality, row.body_part), row.purpose


def reopen_deliveries(session: Session, job_id: str, states: Collection[DeliveryState], *, now: datetime) -> int:
    """Let the deliveries of a job in `states` start again, with all attempts and resends before them; how many.

    Those to a node that has been removed since stay as they are.
    """
    for state in states:
        check_delivery(state, DeliveryState.PENDING)
    present = select(RemoteNode.id).where(RemoteNode.removed_at.is_(None))
    reopened = session.execute(
        update(Delivery)
        .where(Delivery.job_id == job_id, Delivery.state.in_(states), Delivery.remote_node_id.in_(present))
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


def drop_deliveries_to_removed_nodes(session: Session, job_id: str, *, now: datetime) -> list[str]:
    """FAILED to CANCELLED for those whose node is gone: the job goes on without them. What was dropped, in words."""
    check_delivery(DeliveryState.FAILED, DeliveryState.CANCELLED)
    gone = session.execute(
        select(Delivery.id, Result.kind, RemoteNode.name)
        .join(Result, Result.id == Delivery.result_id)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(
            Delivery.job_id == job_id,
            Delivery.state == DeliveryState.FAILED,
            RemoteNode.removed_at.is_not(None),
        )
        .order_by(Delivery.id)
    ).all()
    if not gone:
        return []
    dropped = (
        update(Delivery)
        .where(Delivery.id.in_([row.id for row in gone]), Delivery.state == DeliveryState.FAILED)
        .values(
            state=DeliveryState.CANCELLED,
            reason_code=DESTINATION_REMOVED,
            fencing_token=Delivery.fencing_token + 1,
            updated_at=now,
        )
    )
    session.execute(dropped.execution_options(synchronize_session=False))
    what = [f"{row.kind} to {row.name}" for row in gone]
    record_event(
        session, job_id, "deliveries_dropped", now=now, detail=f"the remote node was removed: {', '.join(what)}"
    )
    return what
