"""The DICOM objects of a job as files: the source image as it came, and the results as they are delivered."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Path, Response

from service.api.dependencies import PartsOfApp, ReadSession
from service.api.problems import ProblemError, problems
from service.api.v1.job_orders import JobId
from service.api.v1.jobs import found_job
from service.registry.dicom_files import find_dicom_file

MEDIA_TYPE = "application/dicom"

router = APIRouter(prefix="/jobs", tags=["jobs"])

SopInstanceUid = Annotated[
    str,
    Path(
        description="Of the job's source image, or of one of its `results` (0008,0018).",
        max_length=64,
        pattern=r"^[0-9.]+$",
        examples=["1.2.840.113619.2.1"],
    ),
]


@router.get(
    "/{job_id}/dicom/{sop_instance_uid}",
    summary="A DICOM object as a file",
    response_class=Response,
    responses={
        200: {
            "description": "The file (DICOM PS3.10).",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 410, 422, 500, 503),
    },
)
def read_dicom(parts: PartsOfApp, session: ReadSession, job_id: JobId, sop_instance_uid: SopInstanceUid) -> Response:
    """The stored bytes, compared with their digest first; an altered file is not handed out.

    `Repr-Digest` (RFC 9530) is the SHA-256 that the job names. Needs the right to see images, and is audited.
    """
    file = find_dicom_file(session, job_id, sop_instance_uid)
    if file is None:
        found_job(session, job_id)
        message = "the job has no such object; GET /api/v1/jobs/{job_id} names its source and its results"
        raise ProblemError(404, "OBJECT_UNKNOWN", message)
    if file.removed_at is not None:
        raise ProblemError(410, "FILE_REMOVED", f"removed under retention on {file.removed_at:%Y-%m-%d %H:%M} UTC")
    content = parts.store.read(file.path, file.sha256)
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    return Response(
        content,
        media_type=MEDIA_TYPE,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{sop_instance_uid}.dcm"',
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )
