"""What admission asks before an instance may come: how many jobs wait, and what their sources take up on the disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.job_states import JobState
from service.registry.tables import Instance, Job

UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.DERIVED)


@dataclass(frozen=True)
class Backlog:
    """What is not finished.

    `depth`: jobs queued or running, counted up to what was asked for. `unfinished_bytes`: of the images of the AE
    titles asked about that have not reached their destinations yet.
    """

    depth: int
    unfinished_bytes: Mapping[str, int] = field(default_factory=dict)


def backlog(session: Session, ae_titles: Collection[str] = (), *, at_most: int) -> Backlog:
    """What waits now, counted up to `at_most` jobs. Quotas cost a look at every unfinished job, no finished one."""
    taken: dict[str, int] = {}
    if ae_titles:
        counted = (
            select(Instance.calling_ae_title, func.sum(Instance.size_bytes))
            .select_from(Job)
            .join(Instance, Instance.id == Job.instance_id)
            .where(Job.state.in_(UNFINISHED), Instance.calling_ae_title.in_(list(ae_titles)))
            .group_by(Instance.calling_ae_title)
        )
        taken = {title: int(size) for title, size in session.execute(counted)}
    return Backlog(jobs.queue_depth(session, at_most), taken)
