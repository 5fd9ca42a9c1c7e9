"""Jobs whose deadline has passed: noted once each, delivered or not, for the history, the log and the metrics.

Lateness changes nothing about the work. `due_at` is emptied when it was noted, or when the job was delivered in time,
so that this looks at no row twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.job_events import record_event
from service.registry.job_states import JobState
from service.registry.tables import Job

_MAY_BE_LATE = (JobState.QUEUED, JobState.RUNNING, JobState.DERIVED, JobState.DELIVERED, JobState.COMMITTED)


@dataclass(frozen=True)
class LateJob:
    """A job that was not delivered by `due_at`; `state` is where it stands."""

    job_id: str
    priority: Priority
    state: JobState
    due_at: datetime


def note_late_jobs(session: Session, *, now: datetime, limit: int) -> list[LateJob]:
    """Note what has become late, at most `limit` jobs; the caller logs them after its commit."""
    late: list[LateJob] = []
    for state in _MAY_BE_LATE:
        found = session.execute(
            select(Job.id, Job.priority, Job.due_at)
            .where(Job.state == state, Job.due_at <= now)
            .order_by(Job.due_at)
            .limit(limit - len(late))
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
        for row in found:
            noted = update(Job).where(Job.id == row.id, Job.due_at == row.due_at).values(late_at=now, due_at=None)
            changed = session.execute(noted.execution_options(synchronize_session=False))
            assert isinstance(changed, CursorResult)
            if changed.rowcount == 1:
                record_event(session, row.id, "late", now=now, detail=f"expected delivery by {row.due_at:%H:%M:%S} UTC")
                late.append(LateJob(row.id, row.priority, state, row.due_at))
    return late
