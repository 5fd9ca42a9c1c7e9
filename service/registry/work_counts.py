"""Numbers about the order of work for monitoring: what waits, what is late, what has nowhere to go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.delivery_plan import WAITING_FOR_DESTINATION
from service.registry.job_states import JobPurpose, JobState
from service.registry.tables import Job


@dataclass(frozen=True)
class WorkCounts:
    """`queued`: jobs that wait for a worker, by priority; `late`: those past their deadline, by (priority, state).

    `waiting_for_destination`: derived jobs whose results no remote node receives.
    """

    queued: dict[str, int]
    late: dict[tuple[str, ...], int]
    waiting_for_destination: int


def count_work(session: Session) -> WorkCounts:
    """Count by index: the rows that wait, those that were late, and those without a destination; no finished one."""
    queued = dict.fromkeys(map(str, Priority), 0)
    waiting = (
        select(Job.priority, func.count())
        .where(Job.state == JobState.QUEUED, Job.purpose.in_(list(JobPurpose)))
        .group_by(Job.priority)
    )
    for priority, number in session.execute(waiting):
        queued[str(priority)] = number
    late = select(Job.priority, Job.state, func.count()).where(Job.late_at.is_not(None))
    nowhere = select(func.count()).where(Job.state == JobState.DERIVED, Job.reason_code == WAITING_FOR_DESTINATION)
    return WorkCounts(
        queued=queued,
        late={(str(p), str(s)): n for p, s, n in session.execute(late.group_by(Job.priority, Job.state))},
        waiting_for_destination=session.scalar(nowhere) or 0,
    )
