"""The dead letters: jobs that FAILED, by reason and by node, and starting many of them again in one call.

A reason is the job's own, or that of a failed delivery of it: whoever has put a PACS right retries what failed with
NO_ANSWER, or what failed at that node.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from service.registry import exposures, jobs
from service.registry.job_states import DeliveryState, JobState
from service.registry.retries import EVERYWHERE, NotRetryableError
from service.registry.tables import Delivery, Job, RemoteNode
from service.routing import Routing

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class DeadLetterFilter:
    """Which FAILED jobs; None: whatever. `node` is the name of a remote node that a failed delivery was for."""

    reason: str | None = None
    node: str | None = None


@dataclass(frozen=True)
class RetriedMany:
    """What became of a call: the jobs that started again with their states, those that could not by code, and the rest.

    `left`: FAILED jobs that the filter still finds, those that could not be retried included.
    """

    retried: Sequence[tuple[str, JobState]]
    refused: dict[str, int] = field(default_factory=dict)
    left: int = 0


def failed_jobs(session: Session, wanted: DeadLetterFilter, *, limit: int) -> list[str]:
    """The ids of FAILED jobs, the one that failed first first."""
    return list(session.scalars(select(Job.id).where(*_are(wanted)).order_by(Job.created_at, Job.id).limit(limit)))


def retry_many(
    session: Session,
    wanted: DeadLetterFilter,
    *,
    limit: int,
    now: datetime,
    routing: Routing = EVERYWHERE,
    recompute: Collection[str] = frozenset(),
) -> RetriedMany:
    """Retry at most `limit` of the jobs that `wanted` finds, oldest first; the caller announces them after its commit.

    One that cannot be retried stays as it is and keeps none of the others from it. `recompute`: the ids of those whose
    derived objects are not to be had any more.
    """
    retried: list[tuple[str, JobState]] = []
    refused: dict[str, int] = {}
    for job_id in failed_jobs(session, wanted, limit=min(limit, MOST_AT_ONCE)):
        try:
            with session.begin_nested():
                state = retry_one(session, job_id, now=now, routing=routing, recompute=job_id in recompute)
                retried.append((job_id, state))
        except NotRetryableError as error:
            refused[error.code] = refused.get(error.code, 0) + 1
    left = session.scalar(select(func.count()).select_from(Job).where(*_are(wanted))) or 0
    return RetriedMany(retried, refused, left)


def retry_one(
    session: Session, job_id: str, *, now: datetime, routing: Routing = EVERYWHERE, recompute: bool = False
) -> JobState:
    """`retries.retry`; of an exposure whose other object waits in place of this one, that one is withdrawn again."""
    state = jobs.retry(session, job_id, now=now, routing=routing, recompute=recompute)
    if state is JobState.QUEUED:
        exposures.withdraw_siblings_of(session, job_id, now=now)
    return state


def of_reason(reason: str) -> ColumnElement[bool]:
    """Jobs with this reason, or with a failed delivery that has it."""
    return or_(Job.reason_code == reason, _failed_delivery(Delivery.reason_code == reason))


def of_node(name: str) -> ColumnElement[bool]:
    """Jobs with a failed delivery to the remote node of this name."""
    node = select(RemoteNode.id).where(RemoteNode.name == name)
    return _failed_delivery(Delivery.remote_node_id.in_(node))


def _are(wanted: DeadLetterFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Job.state == JobState.FAILED]
    if wanted.reason is not None:
        conditions.append(of_reason(wanted.reason))
    if wanted.node is not None:
        conditions.append(of_node(wanted.node))
    return conditions


def _failed_delivery(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(Delivery.id).where(Delivery.job_id == Job.id, Delivery.state == DeliveryState.FAILED, condition).exists()
    )
