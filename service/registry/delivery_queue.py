"""Which delivery is next at each node, and which are to be announced: by job, by node, and by the sweep.

Every node has a queue of its own: the most urgent first, of one priority the oldest. A message names a delivery and
stands for a hand free to send to its node: whoever gets it sends what is next there (`claim_next_delivery`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.claims import DeliveryClaim
from service.registry.compare_and_swap import mark_announced, not_announced_lately
from service.registry.deliveries import claim_delivery, expire_lease
from service.registry.delivery_plan import WAITING_FOR_DESTINATION, plan_or_wait
from service.registry.job_states import DeliveryState, JobState
from service.registry.jobs import SILENT_FOR_S
from service.registry.joining import let_due_join
from service.registry.node_room import has_room
from service.registry.tables import Delivery, Job, RemoteNode
from service.routing import Routing

_TRIES = 8


def ensure_deliveries(session: Session, now: datetime, *, routing: Routing, limit: int = 100) -> int:
    """Plan the deliveries of DERIVED jobs that have none, once a destination exists; returns how many it planned.

    Those that were looked at longest ago come first: jobs that no route takes hide nobody else's.
    """
    waiting = list(
        session.scalars(
            select(Job.id)
            .where(Job.state == JobState.DERIVED, Job.reason_code == WAITING_FOR_DESTINATION)
            .order_by(Job.announced_at)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
    )
    # A worker of the previous release writes no such reason.
    waiting += session.scalars(
        select(Job.id)
        .where(
            Job.state == JobState.DERIVED,
            Job.reason_code.is_(None),
            ~exists().where(Delivery.job_id == Job.id),
        )
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    return sum(plan_or_wait(session, job_id, now=now, routing=routing) for job_id in waiting)


def claim_next_delivery(
    session: Session, hinted: int, *, owner: str, lease_s: float, now: datetime
) -> DeliveryClaim | None:
    """Take what is next for the node of the delivery `hinted`; None: nothing is due there, or the node is busy.

    Where nothing waits, `hinted` itself is looked at: its worker may have died since it was announced.
    """
    node_id = session.scalar(select(Delivery.remote_node_id).where(Delivery.id == hinted))
    if node_id is None or not has_room(session, node_id, now):
        return None
    _make_due(session, node_id, now)
    for _ in range(_TRIES):
        delivery_id = session.scalar(_waiting_for(node_id).limit(1))
        if delivery_id is None:
            break
        # Not to be had: another worker was faster, or its job was cancelled and it has left the queue just now.
        claim = claim_delivery(session, delivery_id, owner=owner, lease_s=lease_s, now=now)
        if claim is not None:
            return claim
    return claim_delivery(session, hinted, owner=owner, lease_s=lease_s, now=now)


def pending_deliveries(session: Session, job_id: str, *, now: datetime) -> list[int]:
    """The PENDING deliveries of a job that are due; the caller sends a message for each.

    Nothing is written: what the caller cannot send any more, the next sweep sends.
    """
    # The state is not asked for in SQL: SQLite would read all that wait, by state, instead of the job's own.
    rows = session.execute(
        select(Delivery.id, Delivery.state, Delivery.not_before).where(Delivery.job_id == job_id)
    ).all()
    return sorted(
        row.id
        for row in rows
        if row.state is DeliveryState.PENDING and (row.not_before is None or row.not_before <= now)
    )


def due_deliveries(session: Session, now: datetime, limit: int, *, silent_for_s: float = SILENT_FOR_S) -> list[int]:
    """Take back expired leases, then name the PENDING deliveries to announce (again), and mark them announced.

    Every node that is not paused gets its share of `limit`, so that a long queue of one hides nobody else's. Only the
    head of each queue is looked at: what is further back is announced when it has come up.
    """
    take_back_deliveries(session, now, limit)
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
        _make_due(session, node_id, now)
        head = session.scalars(_waiting_for(node_id).limit(share)).all()
        due += session.scalars(
            select(Delivery.id)
            .where(Delivery.id.in_(head), Delivery.state == DeliveryState.PENDING, silent)
            .order_by(Delivery.priority, Delivery.id)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
    mark_announced(session, Delivery, due, now)
    return due


def take_back_deliveries(session: Session, now: datetime, limit: int) -> int:
    """SENDING to PENDING for deliveries whose lease has run out: the next message about their node may take them."""
    expired = session.execute(
        select(Delivery.id, Delivery.job_id, Delivery.fencing_token)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.lease_expires_at <= now)
        .order_by(Delivery.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    return sum(expire_lease(session, row.id, row.job_id, row.fencing_token, now) for row in expired)


def next_delivery(session: Session, remote_node_id: int, *, now: datetime) -> int | None:
    """The delivery that is next for this node; None: nothing waits."""
    _make_due(session, remote_node_id, now)
    return session.scalar(_waiting_for(remote_node_id).limit(1))


def _waiting_for(remote_node_id: int) -> Select[int]:
    return (
        select(Delivery.id)
        .where(
            Delivery.remote_node_id == remote_node_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.not_before.is_(None),
        )
        .order_by(Delivery.priority, Delivery.not_before, Delivery.id)
    )


def _make_due(session: Session, remote_node_id: int, now: datetime) -> None:
    """Let postponed deliveries whose time has come join those that wait; they are read through no more until then."""
    for priority in Priority:
        of_class = (
            Delivery.remote_node_id == remote_node_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.priority == priority,
        )
        let_due_join(session, Delivery, *of_class, now=now)
