"""A claimed job goes back to the queue because its worker stops: due at once, and without counting as an attempt."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service.registry.claims import Claim
from service.registry.compare_and_swap import NO_LEASE
from service.registry.job_changes import Seen, move
from service.registry.job_states import JobState


def hand_back_job(session: Session, claim: Claim, *, now: datetime) -> bool:
    """RUNNING to QUEUED; False: somebody else has the job, or it has ended. The caller commits."""
    seen = Seen(claim.job_id, JobState.RUNNING, claim.fencing_token)
    values = {"attempts": claim.attempts - 1, "not_before": None, "announced_at": None, **NO_LEASE}
    return move(session, seen, JobState.QUEUED, "handed_back", "the worker was stopped", values, now)
