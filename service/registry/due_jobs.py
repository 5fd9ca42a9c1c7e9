"""Which jobs the sweep announces (again): those whose turn is near and of which nobody has heard for a while.

A message takes the best job there is (`next_job`), whichever it names. So only the head of the queue is looked at: what
is further back is announced when it has come up, and a sweep costs the same however long the queue is.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.compare_and_swap import mark_announced, not_announced_lately
from service.registry.job_states import JobPurpose, JobState
from service.registry.jobs import SILENT_FOR_S, expire_lease
from service.registry.next_job import in_turn
from service.registry.tables import Job
from service.registry.turns import make_due


def due_jobs(
    session: Session,
    now: datetime,
    limit: int,
    *,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
    silent_for_s: float = SILENT_FOR_S,
) -> list[str]:
    """Take back expired leases, then name the QUEUED jobs to announce (again), next first, and mark them announced.

    A job is named when it is due, among the next `limit`, and its last announcement, if any, was longer than
    `silent_for_s` ago.
    """
    take_back_jobs(session, now, limit, purpose=purpose)
    for priority in Priority:
        make_due(session, purpose, priority, now=now, limit=limit)
    head: list[str] = []
    for priority in Priority:
        head += session.scalars(in_turn(purpose, priority, limit - len(head))).all()
    silent = session.scalars(
        select(Job.id)
        .where(
            Job.id.in_(head),
            Job.state == JobState.QUEUED,
            not_announced_lately(Job.announced_at, now, silent_for_s),
        )
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    due = [job_id for job_id in head if job_id in set(silent)]
    mark_announced(session, Job, due, now)
    return due


def take_back_jobs(session: Session, now: datetime, limit: int, *, purpose: JobPurpose = JobPurpose.SUPPRESS) -> int:
    """RUNNING to QUEUED for jobs whose lease has run out: the next message, whichever it names, may take them."""
    expired = session.execute(
        select(Job.id, Job.fencing_token)
        .where(Job.state == JobState.RUNNING, Job.lease_expires_at <= now, Job.purpose == purpose)
        .order_by(Job.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    return sum(expire_lease(session, row.id, row.fencing_token, now) for row in expired)
