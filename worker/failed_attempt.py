"""What becomes of a claimed job whose attempt failed: tried again later, failed for good, or refused by its picture."""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from dicom_node.errors import ImageRefused
from service.database import transaction
from service.errors import StoreFullError
from service.logs import log_event
from service.registry import exposures, jobs
from service.registry.job_states import JobPurpose
from worker.context import RetryPolicy, WorkerContext
from worker.errors import AttemptsExhaustedError
from worker.failure import classify

logger = logging.getLogger(__name__)

NO_ROOM_WAIT_S = 30.0


def require_budget(attempts: int, retries: RetryPolicy) -> None:
    """What kills its worker never comes back to report: the count of its claims ends it. `attempts` counts this one."""
    if attempts > retries.max_attempts:
        raise AttemptsExhaustedError(
            f"expected at most {retries.max_attempts} attempts, found this to be number {attempts}"
        )


def pause_after(retries: RetryPolicy, attempts: int, *, no_room: bool) -> timedelta:
    """How long to leave alone what failed for the `attempts`th time; with no room on the disk, a while at least."""
    wait_s = retries.wait_s(attempts, random.random())
    return timedelta(seconds=max(wait_s, NO_ROOM_WAIT_S) if no_room else wait_s)


def end_attempt(claim: jobs.Claim, error: Exception, context: WorkerContext, what: str) -> None:
    """Release or fail the job of `claim` as `error` and the retry budget say; `what` failed, for the log."""
    if isinstance(error, ImageRefused):
        _refuse(claim, error, context)
        return
    failure = classify(error)
    now = context.clock()
    # A full disk says nothing about the image: it waits for room as long as that takes.
    no_room = isinstance(error, StoreFullError)
    again = no_room or (failure.transient and not context.inference_retries.exhausted(claim.attempts))
    wait = pause_after(context.inference_retries, claim.attempts, no_room=no_room)
    with transaction(context.sessions) as session:
        if again:
            jobs.release(
                session,
                claim,
                code=failure.code,
                detail=failure.detail,
                not_before=now + wait,
                now=now,
                counts=not no_room,
            )
        elif jobs.fail(session, claim, code=failure.code, detail=failure.detail, now=now):
            exposures.reinstate_siblings(session, claim.job_id, now=now)
    log_event(
        logger,
        f"{what}_postponed" if again else f"{what}_failed",
        level=logging.WARNING,
        job_id=claim.job_id,
        code=failure.code,
        attempts=claim.attempts,
    )


def _refuse(claim: jobs.Claim, refused: ImageRefused, context: WorkerContext) -> None:
    """Not a failure: the picture is not for us, and the study may be told so."""
    now = context.clock()
    notice_job_id = None
    with transaction(context.sessions) as session:
        refused_now = jobs.refuse(session, claim, code=refused.code, detail=str(refused), now=now)
        if refused_now:
            exposures.reinstate_siblings(session, claim.job_id, now=now)
        if refused_now and context.notice_refusals:
            instance_id = jobs.instance_of(session, claim.job_id)
            notice_job_id = jobs.enqueue(
                session,
                instance_id,
                now=now,
                purpose=JobPurpose.REFUSAL_NOTICE,
                priority=jobs.priority_of(session, claim.job_id),
            )
    log_event(logger, "image_refused", level=logging.WARNING, job_id=claim.job_id, code=refused.code)
    if notice_job_id is not None:
        context.queue.announce_notice(notice_job_id)
