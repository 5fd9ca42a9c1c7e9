"""Which stored file holds an image that a job began with or made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry.result_kinds import ResultKind
from service.registry.tables import Instance, Job, Result


@dataclass(frozen=True)
class ImageFile:
    """`path` in the instance store, with the digest of its content; `removed_at`: retention has removed it."""

    path: str
    sha256: str
    removed_at: datetime | None


def source_file(session: Session, job_id: str) -> ImageFile | None:
    """The received image of a job; None when the job is unknown."""
    row = session.execute(
        select(Instance.path, Instance.sha256, Instance.file_removed_at)
        .join(Job, Job.instance_id == Instance.id)
        .where(Job.id == job_id)
    ).one_or_none()
    return None if row is None else ImageFile(*row)


def result_file(session: Session, job_id: str, kind: ResultKind) -> ImageFile | None:
    """A derived image of a job in the form that was made first; None when there is none."""
    row = session.execute(
        select(Result.path, Result.sha256, Result.file_removed_at)
        .where(Result.job_id == job_id, Result.kind == kind)
        .order_by(Result.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else ImageFile(*row)
