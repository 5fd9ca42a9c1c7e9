"""Each destination with its queue, for people: what waits for it, what failed at it; no finished delivery is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.registry.job_states import DeliveryState
from service.registry.remote_nodes import RemoteNodeRow, list_remote_nodes
from service.registry.tables import Delivery, RemoteNode


class Health(StrEnum):
    """How a destination stands."""

    ANSWERS = "ANSWERS"
    """Nothing that was tried last failed to reach it."""
    FAILING = "FAILING"
    """The last attempts were not answered; the next one is made as usual."""
    LEFT_ALONE = "LEFT_ALONE"
    """Its circuit breaker is open: nothing is sent to it for a while."""


@dataclass(frozen=True)
class DestinationHealth:
    """`waiting`: deliveries pending or being sent; `failed`: those given up, which a retry starts again."""

    node: RemoteNodeRow
    health: Health
    waiting: int
    failed: int


def destinations(session: Session, *, now: datetime) -> list[DestinationHealth]:
    """The remote nodes that receive results, by name."""
    unfinished = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED)
    counted = session.execute(
        select(RemoteNode.name, Delivery.state, func.count())
        .join(Delivery, Delivery.remote_node_id == RemoteNode.id)
        .where(Delivery.state.in_(unfinished), RemoteNode.removed_at.is_(None))
        .group_by(RemoteNode.name, Delivery.state)
    ).all()
    numbers = {(name, state): number for name, state, number in counted}
    return [
        DestinationHealth(
            node=node,
            health=_health(node, now),
            waiting=sum(numbers.get((node.name, state), 0) for state in unfinished[:2]),
            failed=numbers.get((node.name, DeliveryState.FAILED), 0),
        )
        for node in list_remote_nodes(session)
        if node.receives_results
    ]


def _health(node: RemoteNodeRow, now: datetime) -> Health:
    if node.paused_until is not None and node.paused_until > now:
        return Health.LEFT_ALONE
    return Health.FAILING if node.failures_in_a_row else Health.ANSWERS
