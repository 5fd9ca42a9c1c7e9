"""Fair turns: which number a new job of a source draws, so that one source's flood does not hold up another's image.

Start-time fair queueing (Goyal, Vin, Cheng, 1996) with one image as the unit of work. Within a purpose and a priority
jobs are taken by their turn, and of one turn the oldest first. A new job draws the turn after the last one of its own
source that waits, but none that has passed already. So 500 images of one source draw 500 turns, and the first image of
another source draws the turn that is being served: it waits for one image of each source at most. Two index probes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.job_states import JobPurpose, JobState
from service.registry.joining import JOINING_AT_ONCE, let_due_join
from service.registry.tables import Job


def draw_turn(session: Session, purpose: JobPurpose, priority: Priority, source: str | None) -> int:
    """The turn of a job that begins to wait now."""
    last_of_source = session.scalar(
        select(func.max(Job.turn)).where(
            Job.state == JobState.QUEUED, Job.purpose == purpose, Job.priority == priority, Job.source == source
        )
    )
    served = session.scalar(
        select(Job.turn).where(*ready(purpose, priority)).order_by(Job.not_before, Job.turn, Job.created_at).limit(1)
    )
    return max(served or 0, 0 if last_of_source is None else last_of_source + 1)


def ready(purpose: JobPurpose, priority: Priority) -> tuple[ColumnElement[bool], ...]:
    """The jobs of a class that may be taken now: what has to wait for a time has `not_before` until `make_due`."""
    return (
        Job.state == JobState.QUEUED,
        Job.purpose == purpose,
        Job.priority == priority,
        Job.not_before.is_(None),
    )


def make_due(
    session: Session, purpose: JobPurpose, priority: Priority, *, now: datetime, limit: int = JOINING_AT_ONCE
) -> None:
    """Let at most `limit` jobs of a class whose `not_before` has come join those that are ready.

    Waiting ones are thus never read through on the way to the next job, however many there are.
    """
    of_class = (Job.state == JobState.QUEUED, Job.purpose == purpose, Job.priority == priority)
    let_due_join(session, Job, *of_class, now=now, limit=limit)
