"""Starting a job again that failed or was cancelled: from the inference, or from the delivery of what is derived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.delivery_plan import (
    drop_deliveries_to_removed_nodes,
    plan_deliveries,
    reopen_deliveries,
)
from service.registry.job_changes import NO_REASON, Seen, locked, move
from service.registry.job_states import DeliveryState, JobState
from service.registry.recalled import is_recalled
from service.registry.results import has_results
from service.registry.settlement import NOTHING_ACCEPTED, settle_job
from service.registry.tables import Delivery, Job
from service.routing import Routing

EVERYWHERE = Routing()
RETRYABLE = frozenset({JobState.FAILED, JobState.CANCELLED})


class NotRetryableError(PermanentError):
    """The job is unknown, has neither failed nor been cancelled, or nobody is left who could get its results."""


def retry(
    session: Session, job_id: str, *, now: datetime, routing: Routing = EVERYWHERE, recompute: bool = False
) -> JobState:
    """Start a FAILED or CANCELLED job again, with a fresh budget. The new state.

    What is derived already is only delivered: every delivery that failed or was cancelled, and those that have become
    possible since. What was meant for a remote node that is gone is dropped, and the history says so; with everything
    else delivered before, the job is DELIVERED at once. `recompute`: what was derived is not to be had any more and is
    made again, under the same UIDs. Raises NotRetryableError; the caller then rolls back.
    """
    job = locked(session, job_id)
    if job is None:
        raise NotRetryableError("JOB_UNKNOWN", f"no job {job_id}")
    if job.state not in RETRYABLE:
        raise NotRetryableError("JOB_NOT_FAILED", f"expected job {job_id} to be FAILED or CANCELLED, found {job.state}")
    if session.scalar(select(is_recalled(job_id))):
        raise NotRetryableError("JOB_RECALLED", f"the results of job {job_id} are taken back by a recall")
    seen = Seen(job.id, job.state, job.fencing_token)
    nothing_accepted = job.reason_code == NOTHING_ACCEPTED
    if recompute or not has_results(session, job_id):
        fresh = {"attempts": 0, "not_before": None, "announced_at": None, **NO_REASON}
        move(session, seen, JobState.QUEUED, "retried", None, fresh, now)
        return JobState.QUEUED
    move(session, seen, JobState.DERIVED, "retried", None, NO_REASON, now)
    return _deliver(session, job, nothing_accepted, now, routing)


def deliver_again(session: Session, job_id: str, *, now: datetime, routing: Routing = EVERYWHERE) -> bool:
    """Go on with the deliveries of a DERIVED job whose derived objects were made again; False: it has none yet.

    What is left to do may be nothing: then the job ends here, for no delivery is to come that would end it.
    """
    states = set(session.scalars(select(Delivery.state).where(Delivery.job_id == job_id)))
    job = locked(session, job_id) if states else None
    if job is None:
        return False
    _resume(session, job, states <= _NOT_TAKEN, now, routing)
    settle_job(session, job, now)
    return True


def _deliver(session: Session, job: Job, nothing_accepted: bool, now: datetime, routing: Routing) -> JobState:
    _resume(session, job, nothing_accepted, now, routing)
    taken = {DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT} | _PROVEN
    if not session.scalar(select(exists().where(Delivery.job_id == job.id, Delivery.state.in_(taken)))):
        raise NotRetryableError("NO_DESTINATION", f"no remote node is left that job {job.id} could be delivered to")
    session.refresh(job)
    settle_job(session, job, now)
    session.refresh(job)
    return job.state


def _resume(session: Session, job: Job, nothing_accepted: bool, now: datetime, routing: Routing) -> None:
    ended = {DeliveryState.FAILED, DeliveryState.CANCELLED}
    if nothing_accepted:  # somebody has told the node to take them since, or hopes so
        ended.add(DeliveryState.DECLINED)
    drop_deliveries_to_removed_nodes(session, job.id, now=now)
    reopen_deliveries(session, job.id, ended, now=now)
    plan_deliveries(session, job.id, now=now, routing=routing)


_NOT_TAKEN = {DeliveryState.DECLINED, DeliveryState.REPLACED, DeliveryState.CANCELLED}
_PROVEN = {DeliveryState.COMMITTED, DeliveryState.VERIFIED}
