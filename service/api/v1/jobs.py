"""Jobs: list, one with its whole history, its pictures. What may be ordered about them is in `job_orders`."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy.orm import Session

from service.api.dependencies import PageWanted, PartsOfApp, ReadSession
from service.api.paging import read_page, require_key
from service.api.problems import ProblemError, problems
from service.api.schemas import Job, Jobs, JobSummary, PreviewName
from service.api.search import job_filter
from service.api.v1.job_orders import JobId
from service.registry import queries
from service.registry.job_search import JobFilter
from service.registry.keyset import Key

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("", summary="List jobs", responses=problems(422, 500, 503))
def list_jobs(session: ReadSession, page: PageWanted, wanted: Annotated[JobFilter, Depends(job_filter)]) -> Jobs:
    """Jobs, newest first, with the number of jobs in every state. `state=FAILED`: the dead letters."""
    found = read_page(
        page,
        lambda limit, after: queries.list_jobs(
            session, wanted, limit=limit, after=require_key(after, kind=str, timed=True)
        ),
        lambda row: Key(row.job_id, row.created_at),
    )
    return Jobs(
        items=[JobSummary.model_validate(row) for row in found.rows],
        counts=queries.counts_by_state(session),
        next_cursor=found.next_cursor,
    )


@router.get("/{job_id}", summary="One job with its history", responses=problems(404, 422, 500, 503))
def read_job(session: ReadSession, job_id: JobId) -> Job:
    """One job: where it stands, what was made of it, where that went, and everything that happened, oldest first."""
    return found_job(session, job_id)


@router.get(
    "/{job_id}/previews/{name}.png",
    summary="A picture of the result",
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 410, 422, 500, 503),
    },
)
def read_preview(
    parts: PartsOfApp,
    session: ReadSession,
    job_id: JobId,
    name: Annotated[PreviewName, Path(description="source, soft-tissue, or bone (what was taken away, on grey).")],
) -> Response:
    """A small 8-bit picture for the screen, at most 1024 pixels wide. The delivered image is the DICOM object."""
    job = queries.job_detail(session, job_id)
    if job is None:
        raise no_such_job(job_id)
    path = {"source": job.preview_source_path, "soft-tissue": job.preview_soft_path, "bone": job.preview_bone_path}[
        name
    ]
    if path is None:
        raise ProblemError(404, "NO_PREVIEW", f"job {job_id} is {job.summary.state} and has no pictures yet")
    if job.previews_removed_at is not None:
        raise ProblemError(
            410, "PREVIEW_REMOVED", f"removed under retention on {job.previews_removed_at:%Y-%m-%d %H:%M} UTC"
        )
    # The store names a file after its digest, so its name is what its content is checked against.
    png = parts.store.read(path, PurePosixPath(path).stem)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


def found_job(session: Session, job_id: str) -> Job:
    """The job, or ProblemError 404."""
    row = queries.job_detail(session, job_id)
    if row is None:
        raise no_such_job(job_id)
    return Job.of(row)


def no_such_job(job_id: str) -> ProblemError:
    """404 for a job id."""
    return ProblemError(404, "JOB_UNKNOWN", "no job has this id; GET /api/v1/jobs lists them")
