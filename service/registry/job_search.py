"""Finding jobs: newest first, narrowed by what an administrator knows; the cost does not grow with the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select

from service.priorities import Priority
from service.registry.dead_letters import of_reason
from service.registry.job_states import JobState
from service.registry.keyset import Key, older_than
from service.registry.tables import Instance, Job, Series, Study

# What ended well has no reason, and is nearly everything there is.
_WITH_REASON = frozenset(JobState) - {JobState.DELIVERED, JobState.COMMITTED}


@dataclass(frozen=True)
class JobFilter:
    """Which jobs; None: whatever. `reason`: the job's own or that of a failed delivery of it. `source`: AE title.

    Times are of the job's creation, `since` included and `until` not.
    """

    state: JobState | None = None
    reason: str | None = None
    source: str | None = None
    priority: Priority | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None
    model_sha256: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_JOB = JobFilter()


def newest_jobs(wanted: JobFilter, *, limit: int, after: Key | None) -> Select[Job, Instance, Series, Study]:
    """One page of jobs with what they are about."""
    found = jobs_with_origin().where(*_conditions(wanted), *older_than(after, Job.id, Job.created_at))
    return found.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)


def jobs_with_origin() -> Select[Job, Instance, Series, Study]:
    """Every job with the instance, series and study that it is about."""
    return (
        select(Job, Instance, Series, Study)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
    )


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(Job.state == wanted.state)
    elif wanted.reason is not None:
        conditions.append(Job.state.in_(_WITH_REASON))
    if wanted.reason is not None:
        conditions.append(of_reason(wanted.reason))
    for column, value in (
        (Job.source, wanted.source),
        (Job.priority, wanted.priority),
        (Job.model_sha256, wanted.model_sha256),
        (Instance.sop_instance_uid, wanted.sop_instance_uid),
        (Series.series_instance_uid, wanted.series_instance_uid),
        (Study.study_instance_uid, wanted.study_instance_uid),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.since is not None:
        conditions.append(Job.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Job.created_at < wanted.until)
    return conditions
