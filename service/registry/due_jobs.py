"""Which jobs the sweep announces (again): those that are due and of which nobody has heard for a while."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.registry.compare_and_swap import mark_announced, not_announced_lately
from service.registry.job_states import JobPurpose, JobState
from service.registry.jobs import SILENT_FOR_S, expire_lease
from service.registry.tables import Job


def due_jobs(
    session: Session,
    now: datetime,
    limit: int,
    *,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
    silent_for_s: float = SILENT_FOR_S,
) -> list[str]:
    """Take back expired leases, then name the QUEUED jobs to announce (again), oldest first, and mark them announced.

    A job is named when it is due and its last announcement, if any, was longer than `silent_for_s` ago. `limit` bounds
    both steps, so that a sweep costs the same however long the queue is.
    """
    expired = session.execute(
        select(Job.id, Job.fencing_token)
        .where(Job.state == JobState.RUNNING, Job.lease_expires_at <= now, Job.purpose == purpose)
        .order_by(Job.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in expired:
        expire_lease(session, row.id, row.fencing_token, now)
    due = session.scalars(
        select(Job.id)
        .where(
            Job.state == JobState.QUEUED,
            Job.purpose == purpose,
            or_(Job.not_before.is_(None), Job.not_before <= now),
            not_announced_lately(Job.announced_at, now, silent_for_s),
        )
        .order_by(Job.created_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    mark_announced(session, Job, due, now)
    return list(due)
