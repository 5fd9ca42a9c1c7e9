"""The DICOM files of a job: the image as it was received, and the objects that were made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select

from service.api.dependencies import Parts, PartsOfApp, ReadSession
from service.api.problems import ProblemError, problems
from service.api.v1.job_orders import JobId
from service.api.v1.jobs import no_such_job
from service.registry.tables import Instance, Job, Result

router = APIRouter(prefix="/jobs", tags=["jobs"])

DICOM = "application/dicom"
ResultUid = Annotated[
    str, Path(description="SOP Instance UID of a result of the job.", max_length=64, pattern=r"^[0-9.]+$")
]
RESPONSES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The DICOM file (PS3.10).",
        "content": {DICOM: {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The caller has it already."},
    **problems(404, 410, 422, 500, 503),
}


@dataclass(frozen=True)
class _File:
    sop_instance_uid: str
    path: str
    sha256: str
    removed_at: datetime | None


@router.get("/{job_id}/source.dcm", summary="The image as received", response_class=Response, responses=RESPONSES)
def read_source(request: Request, parts: PartsOfApp, session: ReadSession, job_id: JobId) -> Response:
    """The stored file, byte for byte as it was kept; its digest is checked before it is given out."""
    source = select(Instance.sop_instance_uid, Instance.path, Instance.sha256, Instance.file_removed_at)
    row = session.execute(source.join(Job, Job.instance_id == Instance.id).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise no_such_job(job_id)
    return _answer(request, parts, _File(*row))


@router.get(
    "/{job_id}/results/{sop_instance_uid}.dcm",
    summary="A result as it was delivered",
    response_class=Response,
    responses=RESPONSES,
)
def read_result(
    request: Request, parts: PartsOfApp, session: ReadSession, job_id: JobId, sop_instance_uid: ResultUid
) -> Response:
    """One object of `results`; its digest is checked before it is given out."""
    result = select(Result.sop_instance_uid, Result.path, Result.sha256, Result.file_removed_at)
    row = session.execute(
        result.where(Result.job_id == job_id, Result.sop_instance_uid == sop_instance_uid)
    ).one_or_none()
    if row is None:
        raise ProblemError(404, "RESULT_UNKNOWN", "the job has no such result; GET /api/v1/jobs/{job_id} lists them")
    return _answer(request, parts, _File(*row))


def _answer(request: Request, parts: Parts, file: _File) -> Response:
    """The file, or 304 where the caller's ETag is its digest. Raises ProblemError 410 for one that was removed."""
    if file.removed_at is not None:
        raise ProblemError(410, "FILE_REMOVED", f"removed under retention on {file.removed_at:%Y-%m-%d %H:%M} UTC")
    tag = f'"{file.sha256}"'
    # Whoever has it may keep it no longer than the login lasts: it must ask again each time.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{file.sop_instance_uid}.dcm"'
    return Response(parts.store.read(file.path, file.sha256), media_type=DICOM, headers=headers)
