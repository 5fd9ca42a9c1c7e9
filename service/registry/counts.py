"""Numbers for monitoring, by state, reason and node; no patient, study or instance is in them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.registry.tables import Delivery, Instance, Job, RejectedObject, RemoteNode


@dataclass(frozen=True)
class Counts:
    """What the registry holds. Keys: (purpose, state); reason; reason; (node, state).

    `nodes`: attempts in a row that each did not answer.
    """

    jobs: dict[tuple[str, ...], int]
    not_processed: dict[str, int]
    rejected: dict[str, int]
    deliveries: dict[tuple[str, ...], int]
    nodes: dict[str, int]


def count_everything(session: Session) -> Counts:
    """Count what there is now, from the indexes alone: the rows themselves are not read."""
    jobs = select(Job.purpose, Job.state, func.count()).group_by(Job.state, Job.purpose)
    reasons = select(Instance.reason_code, func.count()).where(Instance.reason_code.is_not(None))
    rejected = select(RejectedObject.reason_code, func.count().label("number")).group_by(RejectedObject.reason_code)
    deliveries = select(Delivery.remote_node_id, Delivery.state, func.count()).group_by(
        Delivery.remote_node_id, Delivery.state
    )
    names = {row.id: row.name for row in session.execute(select(RemoteNode.id, RemoteNode.name))}
    nodes = select(RemoteNode.name, RemoteNode.failures_in_a_row).where(RemoteNode.removed_at.is_(None))
    return Counts(
        jobs={(str(purpose), str(state)): count for purpose, state, count in session.execute(jobs)},
        not_processed={str(reason): count for reason, count in session.execute(reasons.group_by(Instance.reason_code))},
        rejected={row.reason_code: row.number for row in session.execute(rejected)},
        deliveries={(names[node], str(state)): count for node, state, count in session.execute(deliveries)},
        nodes={row.name: row.failures_in_a_row for row in session.execute(nodes)},
    )
