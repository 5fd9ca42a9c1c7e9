"""How a derived job ends, and how it comes back: what `settlement` and `proofs` decide, by way of `job_changes`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service.registry.job_changes import Seen, move, reason
from service.registry.job_states import JobState
from service.registry.tables import Job


def finish_delivered(session: Session, job: Job, *, now: datetime) -> bool:
    """DERIVED to DELIVERED, once every delivery is SENT; `job` comes from `locked` in this transaction.

    In time, it can be late no more; too late, `lateness` finds it by what is left in `due_at`.
    """
    seen = Seen(job.id, JobState.DERIVED, job.fencing_token)
    in_time = job.due_at is not None and job.due_at > now
    return move(session, seen, JobState.DELIVERED, "delivered", None, {"due_at": None} if in_time else {}, now)


def finish_committed(session: Session, job: Job, *, now: datetime) -> bool:
    """DELIVERED to COMMITTED, once every node has committed to, or was found to have, what it was sent."""
    seen = Seen(job.id, JobState.DELIVERED, job.fencing_token)
    return move(session, seen, JobState.COMMITTED, "committed", None, {}, now)


def deliver_again(session: Session, job: Job, *, detail: str, now: datetime) -> bool:
    """DELIVERED to DERIVED: a node turned out not to have what it had taken; True as well when it is DERIVED still."""
    if job.state is JobState.DERIVED:
        return True
    seen = Seen(job.id, job.state, job.fencing_token)
    return move(session, seen, JobState.DERIVED, "delivered_again", detail, {}, now)


def finish_undelivered(session: Session, job: Job, *, code: str, detail: str, now: datetime) -> bool:
    """DERIVED to FAILED: no delivery is under way, and one has failed or none was accepted; `job` from `locked`."""
    seen = Seen(job.id, JobState.DERIVED, job.fencing_token)
    return move(session, seen, JobState.FAILED, "failed", f"{code}: {detail}", reason(code, detail), now)
