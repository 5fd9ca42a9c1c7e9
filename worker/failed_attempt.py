"""What becomes of a claimed job whose attempt failed: tried again later, or failed for good."""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from service.database import transaction
from service.logs import log_event
from service.registry import jobs
from worker.context import WorkerContext
from worker.failure import classify

logger = logging.getLogger(__name__)


def end_attempt(claim: jobs.Claim, error: Exception, context: WorkerContext, what: str) -> None:
    """Release or fail the job of `claim` as `error` and the retry budget say; `what` failed, for the log."""
    failure = classify(error)
    now = context.clock()
    again = failure.transient and not context.inference_retries.exhausted(claim.attempts)
    wait = timedelta(seconds=context.inference_retries.wait_s(claim.attempts, random.random()))
    with transaction(context.sessions) as session:
        if again:
            jobs.release(session, claim, code=failure.code, detail=failure.detail, not_before=now + wait, now=now)
        else:
            jobs.fail(session, claim, code=failure.code, detail=failure.detail, now=now)
    log_event(
        logger,
        f"{what}_postponed" if again else f"{what}_failed",
        level=logging.WARNING,
        job_id=claim.job_id,
        code=failure.code,
        attempts=claim.attempts,
    )
