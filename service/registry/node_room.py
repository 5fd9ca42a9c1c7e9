"""Whether something may be sent to a remote node at this moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.registry.job_states import DeliveryState
from service.registry.tables import Delivery, RemoteNode

# To one node at a time: the network worker has threads for as many to every node, so that a slow one holds up nobody.
AT_ONCE_PER_NODE = 2


def has_room(session: Session, remote_node_id: int, now: datetime) -> bool:
    """The node is not paused, and has a hand free."""
    paused_until = session.scalar(select(RemoteNode.paused_until).where(RemoteNode.id == remote_node_id))
    if paused_until is not None and paused_until > now:
        return False
    in_hand = session.scalar(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.remote_node_id == remote_node_id,
            Delivery.state == DeliveryState.SENDING,
            Delivery.lease_expires_at > now,
        )
    )
    return (in_hand or 0) < AT_ONCE_PER_NODE
