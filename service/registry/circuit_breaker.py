"""The circuit breaker of a remote node: after some failures in a row it is left alone for a while.

A failure here means that the node did not answer. An answer, a refusal included, closes the breaker at once; while it
is open nothing is sent to the node, and no attempt of a delivery is spent on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.registry.tables import RemoteNode


@dataclass(frozen=True)
class BreakerPolicy:
    """The breaker opens after `failures` in a row, for `first_s`, doubled with every further one up to `longest_s`."""

    failures: int = 3
    first_s: float = 10.0
    longest_s: float = 300.0

    def pause_s(self, failures_in_a_row: int) -> float:
        """Seconds of rest after so many failures in a row; 0 while the breaker stays closed."""
        beyond = failures_in_a_row - self.failures
        return 0.0 if beyond < 0 else min(self.longest_s, self.first_s * 2.0 ** min(beyond, 30))


def node_answered(session: Session, remote_node_id: int) -> bool:
    """Close the breaker; True when it had counted failures."""
    node = session.get(RemoteNode, remote_node_id)
    if node is None or node.failures_in_a_row == 0:
        return False
    closed = update(RemoteNode).where(RemoteNode.id == remote_node_id).values(failures_in_a_row=0, paused_until=None)
    session.execute(closed.execution_options(synchronize_session=False))
    return True


def node_failed(session: Session, remote_node_id: int, policy: BreakerPolicy, *, now: datetime) -> datetime | None:
    """Count a failure; the time until which the node is left alone, None while the breaker stays closed."""
    node = session.scalar(select(RemoteNode).where(RemoteNode.id == remote_node_id).with_for_update(key_share=True))
    if node is None:
        return None
    failures = node.failures_in_a_row + 1
    pause_s = policy.pause_s(failures)
    paused_until = now + timedelta(seconds=pause_s) if pause_s else None
    node.failures_in_a_row, node.paused_until = failures, paused_until
    session.flush()
    return paused_until
