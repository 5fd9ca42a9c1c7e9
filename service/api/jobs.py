"""Jobs: list, one with its whole history, its pictures, and the one thing an operator may do (retry)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from service.api.dependencies import PageWanted, Parts, PartsOfApp, ReadSession, from_our_own_page, now
from service.api.paging import read_page
from service.api.problems import ProblemError, problems
from service.api.schemas import Job, Jobs, JobSummary, PreviewName, Retried
from service.database import transaction
from service.registry import jobs, queries
from service.registry.job_states import DeliveryState, JobState
from service.retrying import retry_job as start_again

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobId = Annotated[str, Path(description="The job's id, as `GET /jobs` gives it.", max_length=64)]


@router.get("", summary="List jobs", responses=problems(422, 500, 503))
def list_jobs(
    session: ReadSession,
    page: PageWanted,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
) -> Jobs:
    """Jobs, newest first, with the number of jobs in every state."""
    found = read_page(page, lambda limit, offset: queries.list_jobs(session, state=state, limit=limit, offset=offset))
    return Jobs(
        items=[JobSummary.model_validate(row) for row in found.rows],
        counts=queries.counts_by_state(session),
        next_offset=found.next_offset,
    )


@router.get("/{job_id}", summary="One job with its history", responses=problems(404, 422, 500, 503))
def read_job(session: ReadSession, job_id: JobId) -> Job:
    """One job: where it stands, what was made of it, where that went, and everything that happened, oldest first."""
    return found_job(session, job_id)


@router.post(
    "/{job_id}/retry",
    summary="Try a failed job again",
    status_code=202,
    dependencies=[Depends(from_our_own_page)],
    responses=problems(403, 404, 409, 422, 500, 503),
)
def retry_job(parts: PartsOfApp, job_id: JobId) -> Retried:
    """Starts a failed job again, with a fresh number of attempts.

    When its result was stored already, only the deliveries that failed are sent again: the same bytes, no second
    computation, unless they are missing or altered on the disk. 409 when the job has not failed.
    """
    try:
        state = start_again(parts.sessions, parts.store, job_id, now=now(), routing=parts.routing)
    except jobs.NotRetryableError as error:
        status = 404 if error.code == "JOB_UNKNOWN" else 409
        raise ProblemError(status, error.code, error.message) from error
    _announce(parts, job_id, state)
    return Retried(job_id=job_id, state=state)


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
    return ProblemError(404, "JOB_UNKNOWN", "no job has this id; GET /jobs lists them")


def _announce(parts: Parts, job_id: str, state: JobState) -> None:
    """After the commit: the row is the truth, a lost message costs one sweep."""
    if state is JobState.QUEUED:
        parts.queue.announce_inference(job_id)
        return
    with transaction(parts.sessions, read_only=True) as session:
        job = queries.job_detail(session, job_id)
    for delivery in job.deliveries if job else ():
        if delivery.state is DeliveryState.PENDING:
            parts.queue.announce_delivery(delivery.delivery_id)
