"""How long things have waited, for monitoring: each found by index. No patient, study or instance is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.audit_tables import AuditCursor, AuditHead, AuditNote
from service.registry.job_states import JobPurpose, JobState
from service.registry.tables import Job, RemoteNode
from service.registry.upkeep_tasks import read_tasks

DOCTOR = "doctor"
"""The walk of `softray doctor --repair`, which is no worker's."""


@dataclass(frozen=True)
class Ages:
    """All in seconds. `oldest_queued` by priority, 0 where nothing waits; `paused`: what is left of each node's pause.

    `audit_unsent`: events of the trail that a receiver was not told yet, by receiver; `audit_notes`: notes that are not
    part of an event yet. `upkeep`: since each walk of the upkeep was last gone on with.
    """

    oldest_queued: dict[str, float]
    paused: dict[str, float]
    audit_unsent: dict[str, int]
    audit_notes: int
    upkeep: dict[str, float]


def read_ages(session: Session, *, now: datetime) -> Ages:
    """The ages at `now`."""
    return Ages(
        oldest_queued=_oldest_queued(session, now),
        paused=_paused(session, now),
        audit_unsent=_audit_unsent(session),
        audit_notes=session.scalar(select(func.count()).select_from(AuditNote)) or 0,
        upkeep={
            task.name: _seconds(now, task.passed_at)
            for task in read_tasks(session)
            if task.passed_at is not None and task.name != DOCTOR
        },
    )


def _oldest_queued(session: Session, now: datetime) -> dict[str, float]:
    oldest = dict.fromkeys(map(str, Priority), 0.0)
    waiting = (
        select(Job.priority, func.min(Job.created_at))
        .where(Job.state == JobState.QUEUED, Job.purpose.in_(list(JobPurpose)))
        .group_by(Job.priority)
    )
    for priority, since in session.execute(waiting):
        oldest[str(priority)] = _seconds(now, since)
    return oldest


def _paused(session: Session, now: datetime) -> dict[str, float]:
    nodes = select(RemoteNode.name, RemoteNode.paused_until).where(
        RemoteNode.removed_at.is_(None), RemoteNode.receives_results.is_(True)
    )
    return {name: 0.0 if until is None else _seconds(until, now) for name, until in session.execute(nodes)}


def _audit_unsent(session: Session) -> dict[str, int]:
    head = session.scalar(select(func.max(AuditHead.seq))) or 0
    cursors = session.execute(select(AuditCursor.receiver, AuditCursor.seq))
    return {receiver: max(0, head - seq) for receiver, seq in cursors}


def _seconds(later: datetime, earlier: datetime) -> float:
    """Never negative: clocks of several machines differ."""
    return max(0.0, (later - earlier).total_seconds())
