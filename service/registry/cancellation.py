"""Cancelling a job: what has not begun is not begun, what runs is given up, what was sent is said.

Nothing is called back from a remote node: an image that is on its way ends as it ends. The caller commits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.compare_and_swap import NO_LEASE
from service.registry.job_changes import Seen, locked, move, reason
from service.registry.job_states import DeliveryState, JobState, check_delivery
from service.registry.recalled import RECALLED
from service.registry.tables import Delivery, RemoteNode, Result

CANCELLED = "CANCELLED"
CANCELLABLE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.DERIVED, JobState.FAILED})
_ELSEWHERE = frozenset({DeliveryState.SENT, DeliveryState.COMMITTED, DeliveryState.VERIFIED})


class NotCancellableError(PermanentError):
    """The job is unknown, or has ended already."""


@dataclass(frozen=True)
class Cancellation:
    """What a cancelled job leaves: `withdrawn` deliveries that are not sent, and in words what is elsewhere already.

    `under_way`: what is being sent at this moment, and may arrive.
    """

    withdrawn: int
    sent: tuple[str, ...]
    under_way: tuple[str, ...]


def cancel(session: Session, job_id: str, *, now: datetime, code: str = CANCELLED, why: str = "") -> Cancellation:
    """QUEUED, RUNNING, DERIVED or FAILED to CANCELLED; a worker that has the job stops at its next look at its lease.

    A FAILED job is thereby put aside: it is no dead letter any more. `code` and, before all else, `why` become the
    job's reason. Raises NotCancellableError.
    """
    job = locked(session, job_id)
    if job is None:
        raise NotCancellableError("JOB_UNKNOWN", f"no job {job_id}")
    if job.state not in CANCELLABLE:
        raise NotCancellableError("JOB_ENDED", f"expected job {job_id} to be under way or FAILED, found {job.state}")
    left = _deliveries(session, job_id)
    detail = _in_words(left) if job.state is JobState.DERIVED or left.sent or left.under_way else "nothing was sent"
    detail = f"{why}: {detail}" if why else detail
    seen = Seen(job.id, job.state, job.fencing_token)
    values = {**reason(code, detail), "not_before": None, **NO_LEASE}
    move(session, seen, JobState.CANCELLED, "cancelled", detail, values, now)
    withdraw_pending(session, job_id, now=now)
    return left


def cancel_recalled(session: Session, job_id: str, *, now: datetime) -> None:
    """Cancel a job that a recall has taken back and that is under way still; one that is not stays as it is."""
    with suppress(NotCancellableError):
        cancel(session, job_id, now=now, code=RECALLED, why="recalled")


def withdraw_pending(session: Session, job_id: str, *, now: datetime) -> None:
    """PENDING to CANCELLED for every delivery of the job; the caller holds the job."""
    check_delivery(DeliveryState.PENDING, DeliveryState.CANCELLED)
    withdrawn = (
        update(Delivery)
        .where(Delivery.job_id == job_id, Delivery.state == DeliveryState.PENDING)
        .values(
            state=DeliveryState.CANCELLED,
            not_before=None,
            fencing_token=Delivery.fencing_token + 1,
            updated_at=now,
        )
    )
    session.execute(withdrawn.execution_options(synchronize_session=False))


def _deliveries(session: Session, job_id: str) -> Cancellation:
    rows = session.execute(
        select(Delivery.state, Result.kind, RemoteNode.name)
        .join(Result, Result.id == Delivery.result_id)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(Delivery.job_id == job_id)
        .order_by(Delivery.id)
    ).all()
    return Cancellation(
        withdrawn=sum(row.state is DeliveryState.PENDING for row in rows),
        sent=tuple(f"{row.kind} to {row.name}" for row in rows if row.state in _ELSEWHERE),
        under_way=tuple(f"{row.kind} to {row.name}" for row in rows if row.state is DeliveryState.SENDING),
    )


def _in_words(left: Cancellation) -> str:
    parts = [f"{left.withdrawn} deliveries withdrawn"]
    parts.append(f"sent already: {', '.join(left.sent)}" if left.sent else "nothing was sent")
    if left.under_way:
        parts.append(f"on its way: {', '.join(left.under_way)}")
    return "; ".join(parts)
