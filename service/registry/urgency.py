"""Giving a job another priority while it waits, computes or is delivered. The caller commits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.priorities import NO_DEADLINES, Deadlines, Priority
from service.registry.job_changes import locked, note
from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Job
from service.registry.turns import draw_turn

OPEN = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.DERIVED, JobState.FAILED, JobState.CANCELLED})


class NotReprioritisableError(PermanentError):
    """The job is unknown, or has ended already."""


def reprioritise(
    session: Session, job_id: str, priority: Priority, *, now: datetime, deadlines: Deadlines = NO_DEADLINES
) -> Priority:
    """Give the job and what is still to be sent of it `priority`; returns the one it had.

    Its deadline counts from now; a job that was late stays so. Raises NotReprioritisableError.
    """
    job = locked(session, job_id)
    if job is None:
        raise NotReprioritisableError("JOB_UNKNOWN", f"no job {job_id}")
    if job.state not in OPEN:
        raise NotReprioritisableError("JOB_ENDED", f"expected job {job_id} to be under way, found {job.state}")
    before = job.priority
    if before is priority:
        return before
    changed = (
        update(Job)
        .where(Job.id == job_id)
        .values(
            priority=priority,
            turn=draw_turn(session, job.purpose, priority, job.source),
            due_at=None if job.late_at is not None else deadlines.due_at(priority, now),
            updated_at=now,
        )
    )
    session.execute(changed.execution_options(synchronize_session=False))
    unsent = frozenset({DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.CANCELLED})
    moved = update(Delivery).where(Delivery.job_id == job_id, Delivery.state.in_(unsent)).values(priority=priority)
    session.execute(moved.execution_options(synchronize_session=False))
    note(session, job_id, "reprioritised", f"{before} to {priority}", now)
    return before
