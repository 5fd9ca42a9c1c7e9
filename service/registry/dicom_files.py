"""Where the DICOM files of a job lie, for whoever downloads one: its source image and what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from service.registry.tables import Instance, Job, Result


@dataclass(frozen=True)
class DicomFile:
    """A stored file; `path` is relative to the instance store, `removed_at` the time when retention removed it."""

    path: str
    sha256: str
    removed_at: datetime | None


def find_dicom_file(session: Session, job_id: str, sop_instance_uid: str) -> DicomFile | None:
    """The source of the job, or the result of it, with this SOP Instance UID; None when it is neither."""
    source = (
        select(Instance.path, Instance.sha256, Instance.file_removed_at)
        .join(Job, Job.instance_id == Instance.id)
        .where(Job.id == job_id, Instance.sop_instance_uid == sop_instance_uid)
    )
    made = select(Result.path, Result.sha256, Result.file_removed_at).where(
        Result.job_id == job_id, Result.sop_instance_uid == sop_instance_uid
    )
    row = session.execute(union_all(source, made)).first()
    return None if row is None else DicomFile(*row)
