"""The derived objects of a job: written once, when the job is derived, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from service.registry.claims import ResultFacts
from service.registry.tables import Result


def record_results(session: Session, job_id: str, results: Sequence[ResultFacts], *, now: datetime) -> None:
    """Write the rows of what a finished job left in the instance store."""
    session.add_all(_row(job_id, result, None, now) for result in results)
    session.flush()


def record_replacement(session: Session, job_id: str, replaced_id: int, result: ResultFacts, *, now: datetime) -> int:
    """The row of the same picture in another SOP class; the one that is there already if it was made before."""
    made = session.scalar(select(Result.id).where(Result.replaces_id == replaced_id, Result.job_id == job_id))
    if made is not None:
        return made
    row = _row(job_id, result, replaced_id, now)
    session.add(row)
    session.flush()
    return row.id


def has_results(session: Session, job_id: str) -> bool:
    """Whether the job has come as far as a derived object."""
    return bool(session.scalar(select(exists().where(Result.job_id == job_id))))


def _row(job_id: str, result: ResultFacts, replaces_id: int | None, now: datetime) -> Result:
    return Result(
        job_id=job_id,
        kind=result.kind,
        replaces_id=replaces_id,
        sop_class_uid=result.sop_class_uid,
        sop_instance_uid=result.sop_instance_uid,
        series_instance_uid=result.series_instance_uid,
        path=result.path,
        sha256=result.sha256,
        created_at=now,
    )
