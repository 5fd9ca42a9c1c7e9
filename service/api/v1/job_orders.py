"""What an operator may order about jobs: try one again or many, cancel one, give one another priority."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from service.api.dependencies import Parts, PartsOfApp, from_our_own_page, now
from service.api.problems import ProblemError, problems
from service.api.schemas import Cancelled, Reprioritised, Retried, RetriedMany
from service.database import transaction
from service.errors import PermanentError
from service.priorities import Priority
from service.registry import cancellation, dead_letters, jobs, queries, urgency
from service.registry.job_states import DeliveryState, JobState
from service.retrying import retry_failed
from service.retrying import retry_job as start_again

router = APIRouter(prefix="/jobs", tags=["jobs"], dependencies=[Depends(from_our_own_page)])

JobId = Annotated[str, Path(description="The job's id, as `GET /jobs` gives it.", max_length=64)]


class RetryWanted(BaseModel):
    """Which failed jobs to retry; left out: whatever the reason, wherever it was to go."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(
        default=None, max_length=64, description="Reason code of the job, or of a failed delivery of it."
    )
    node: str | None = Field(default=None, max_length=64, description="Name of the remote node that was not reached.")
    limit: int = Field(
        default=100, ge=1, le=dead_letters.MOST_AT_ONCE, description="At most so many jobs, oldest first."
    )


class PriorityWanted(BaseModel):
    """The priority that a job is to have."""

    model_config = ConfigDict(extra="forbid")

    priority: Priority


@router.post("/retry", summary="Try many failed jobs again", status_code=202, responses=problems(403, 422, 500, 503))
def retry_jobs(parts: PartsOfApp, wanted: RetryWanted) -> RetriedMany:
    """Starts failed jobs again as `POST /jobs/{job_id}/retry` does, the oldest first. Call again while some are left.

    One that cannot be retried is counted under its code and keeps none of the others from it.
    """
    which = dead_letters.DeadLetterFilter(wanted.reason, wanted.node)
    done = retry_failed(parts.sessions, parts.store, which, limit=wanted.limit, now=now(), routing=parts.routing)
    for job_id, state in done.retried:
        _announce(parts, job_id, state)
    return RetriedMany(retried=len(done.retried), refused=done.refused, left=done.left)


@router.post(
    "/{job_id}/retry",
    summary="Try a failed job again",
    status_code=202,
    responses=problems(403, 404, 409, 422, 500, 503),
)
def retry_job(parts: PartsOfApp, job_id: JobId) -> Retried:
    """Starts a failed or cancelled job again, with a fresh number of attempts.

    When its result was stored already, only what was not delivered is sent: the same bytes, no second computation,
    unless they are missing or altered on the disk. What was meant for a remote
    node that has been removed is dropped. 409 when the job has not failed.
    """
    try:
        state = start_again(parts.sessions, parts.store, job_id, now=now(), routing=parts.routing)
    except jobs.NotRetryableError as error:
        raise _problem(error) from error
    _announce(parts, job_id, state)
    return Retried(job_id=job_id, state=state)


@router.post(
    "/{job_id}/cancel",
    summary="Cancel a job",
    responses=problems(403, 404, 409, 422, 500, 503),
)
def cancel_job(parts: PartsOfApp, job_id: JobId) -> Cancelled:
    """Ends a job that has not ended well. What was sent stays where it is, and the answer names it.

    409 when it has been delivered, refused or cancelled already. A cancelled job can be retried.
    """
    with transaction(parts.sessions) as session:
        try:
            left = cancellation.cancel(session, job_id, now=now())
        except cancellation.NotCancellableError as error:
            raise _problem(error) from error
    return Cancelled(job_id=job_id, withdrawn=left.withdrawn, sent=list(left.sent), under_way=list(left.under_way))


@router.post(
    "/{job_id}/priority",
    summary="Give a job another priority",
    responses=problems(403, 404, 409, 422, 500, 503),
)
def reprioritise_job(parts: PartsOfApp, job_id: JobId, wanted: PriorityWanted) -> Reprioritised:
    """Holds for its computing and its deliveries. 409 when the job has ended."""
    with transaction(parts.sessions) as session:
        try:
            before = urgency.reprioritise(session, job_id, wanted.priority, now=now(), deadlines=parts.deadlines)
        except urgency.NotReprioritisableError as error:
            raise _problem(error) from error
    return Reprioritised(job_id=job_id, priority=wanted.priority, before=before)


def _problem(error: PermanentError) -> ProblemError:
    return ProblemError(404 if error.code == "JOB_UNKNOWN" else 409, error.code, error.message)


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
