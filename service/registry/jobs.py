"""Jobs: the only writer of `Job.state`.

Every change is one compare-and-swap on (id, state, fencing_token) with a line of history in the same transaction; a
function that returns False changed nothing, because somebody else was faster. A claim is a lease: its holder renews it
while it works, and after it has run out the job belongs to whoever claims it next. The caller commits.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.claims import Claim as Claim
from service.registry.claims import DerivedFacts as DerivedFacts
from service.registry.claims import ResultFacts as ResultFacts
from service.registry.compare_and_swap import NO_LEASE, swap
from service.registry.delivery_plan import plan_deliveries, reopen_failed_deliveries
from service.registry.job_events import record_event
from service.registry.job_states import JobPurpose, JobState, check
from service.registry.results import has_results, record_results
from service.registry.tables import Instance, Job
from service.routing import Routing

SILENT_FOR_S = 30.0
EVERYWHERE = Routing()
_NO_REASON: dict[str, Any] = {"reason_code": None, "reason_detail": None}


class NotRetryableError(PermanentError):
    """The job is unknown or has not failed."""


def enqueue(
    session: Session,
    instance_id: int,
    *,
    now: datetime,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
    not_before: datetime | None = None,
) -> str:
    """Create a QUEUED job of an instance and return its id; the caller announces it after its commit.

    The row is the outbox too: it says that no message is known to have left, so that the next sweep sends one if the
    caller dies before it has. A job that may not begin before `not_before` is left to the sweep.
    """
    job = Job(
        id=str(uuid.uuid4()),
        instance_id=instance_id,
        purpose=purpose,
        state=JobState.QUEUED,
        attempts=0,
        not_before=not_before,
        announced_at=None,
        fencing_token=0,
        step=0,
        total_steps=0,
        created_at=now,
        updated_at=now,
    )
    session.add(job)
    session.flush()
    record_event(session, job.id, "queued", now=now, to_state=JobState.QUEUED)
    return job.id


def instance_of(session: Session, job_id: str) -> int:
    """The row of the instance that a job is about."""
    return session.scalars(select(Job.instance_id).where(Job.id == job_id)).one()


def queue_depth(session: Session, at_most: int) -> int:
    """Jobs that wait for a worker or are in its hands, counted up to `at_most`: it is asked for with every image."""
    waiting = select(Job.id).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING])).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(waiting)) or 0


def claim(
    session: Session,
    job_id: str,
    *,
    owner: str,
    lease_s: float,
    now: datetime,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
) -> Claim | None:
    """Take a QUEUED job that is due, or a RUNNING one whose lease has run out; None: not to be had."""
    row = session.execute(
        select(
            Job.state,
            Job.fencing_token,
            Job.attempts,
            Job.not_before,
            Job.lease_expires_at,
            Instance.path,
            Instance.sha256,
            Instance.sop_instance_uid,
            Instance.open_questions,
            Instance.reason_code,
            Instance.reason_detail,
        )
        .join(Instance, Instance.id == Job.instance_id)
        .where(Job.id == job_id, Job.purpose == purpose)
    ).one_or_none()
    if row is None or (row.not_before is not None and row.not_before > now):
        return None
    if row.state is JobState.RUNNING:
        if not expire_lease(session, job_id, row.fencing_token, now):
            return None
    elif row.state is not JobState.QUEUED:
        return None
    attempts = row.attempts + 1
    values = {
        "fencing_token": row.fencing_token + 1,
        "attempts": attempts,
        "not_before": None,
        "lease_owner": owner,
        "lease_expires_at": now + timedelta(seconds=lease_s),
        "step": 0,
        "total_steps": 0,
        **_NO_REASON,
    }
    seen = Seen(job_id, JobState.QUEUED, row.fencing_token)
    if not move(session, seen, JobState.RUNNING, "claimed", f"attempt {attempts} by {owner}", values, now):
        return None
    return Claim(
        job_id=job_id,
        fencing_token=row.fencing_token + 1,
        attempts=attempts,
        source_path=row.path,
        source_sha256=row.sha256,
        sop_instance_uid=row.sop_instance_uid,
        open_questions=frozenset(filter(None, (row.open_questions or "").split(","))),
        reason_code=row.reason_code,
        reason_detail=row.reason_detail,
    )


def renew(session: Session, claim: Claim, *, lease_s: float, step: int, total_steps: int, now: datetime) -> bool:
    """Extend the lease and show progress; False: somebody else owns the job now, stop working."""
    progress = {"lease_expires_at": now + timedelta(seconds=lease_s), "step": step, "total_steps": total_steps}
    return _swap(session, _held(claim), progress, now)


def record_derived(
    session: Session, claim: Claim, derived: DerivedFacts, *, now: datetime, routing: Routing = EVERYWHERE
) -> bool:
    """RUNNING to DERIVED with one PENDING delivery per result and remote node that gets it.

    Without any such node the job stays DERIVED and the history says that it waits for a destination.
    """
    values = {
        "preview_source_path": derived.preview_source_path,
        "preview_soft_path": derived.preview_soft_path,
        "preview_bone_path": derived.preview_bone_path,
        "model_name": derived.model_name,
        "model_sha256": derived.model_sha256,
        "device": derived.device,
        **NO_LEASE,
        **_NO_REASON,
    }
    history = ", ".join(f"{result.kind} {result.sop_instance_uid}" for result in derived.results)
    if not move(session, _held(claim), JobState.DERIVED, "derived", history, values, now):
        return False
    record_results(session, claim.job_id, derived.results, now=now)
    if plan_deliveries(session, claim.job_id, now=now, routing=routing) == 0:
        record_event(session, claim.job_id, "waiting_for_destination", now=now)
    return True


def refuse(session: Session, claim: Claim, *, code: str, detail: str, now: datetime) -> bool:
    """RUNNING to REFUSED: the picture says what the header did not, that this is not for us.

    The instance keeps the reason, as if the gate had given it.
    """
    values = {**reason(code, detail), **NO_LEASE}
    if not move(session, _held(claim), JobState.REFUSED, "refused", f"{code}: {detail}", values, now):
        return False
    instance_id = select(Job.instance_id).where(Job.id == claim.job_id).scalar_subquery()
    refused = update(Instance).where(Instance.id == instance_id).values(eligible=False, **reason(code, detail))
    session.execute(refused.execution_options(synchronize_session=False))
    return True


def withdraw(session: Session, job_id: str, *, code: str, detail: str, now: datetime) -> bool:
    """QUEUED to REFUSED, before any worker took it; False: too late, or not QUEUED."""
    job = locked(session, job_id)
    if job is None or job.state is not JobState.QUEUED:
        return False
    seen = Seen(job.id, JobState.QUEUED, job.fencing_token)
    return move(session, seen, JobState.REFUSED, "refused", f"{code}: {detail}", reason(code, detail), now)


def reinstate(session: Session, job: Job, *, now: datetime) -> bool:
    """REFUSED to QUEUED: what `withdraw` gave as the reason holds no longer; False: somebody else was faster."""
    seen = Seen(job.id, JobState.REFUSED, job.fencing_token)
    fresh = {"attempts": 0, "not_before": None, "announced_at": None, **_NO_REASON}
    return move(session, seen, JobState.QUEUED, "reinstated", None, fresh, now)


def release(
    session: Session, claim: Claim, *, code: str, detail: str, not_before: datetime | None, now: datetime
) -> bool:
    """Give the job back after a transient error: RUNNING to QUEUED, due at `not_before` (None: at once)."""
    values = {"not_before": not_before, "announced_at": None, **reason(code, detail), **NO_LEASE}
    return move(session, _held(claim), JobState.QUEUED, "released", f"{code}: {detail}", values, now)


def fail(session: Session, claim: Claim, *, code: str, detail: str, now: datetime) -> bool:
    """RUNNING to FAILED, with the reason an operator will read."""
    values = {**reason(code, detail), **NO_LEASE}
    return move(session, _held(claim), JobState.FAILED, "failed", f"{code}: {detail}", values, now)


def retry(session: Session, job_id: str, *, now: datetime, routing: Routing = EVERYWHERE) -> JobState:
    """Start a FAILED job again, with a fresh budget: from the inference, or from the delivery of what is derived.

    Returns the new state. Raises NotRetryableError when the job is unknown or not FAILED.
    """
    job = locked(session, job_id)
    if job is None:
        raise NotRetryableError("JOB_UNKNOWN", f"no job {job_id}")
    if job.state is not JobState.FAILED:
        raise NotRetryableError("JOB_NOT_FAILED", f"expected job {job_id} to be FAILED, found {job.state}")
    seen = Seen(job.id, JobState.FAILED, job.fencing_token)
    if not has_results(session, job_id):
        fresh = {"attempts": 0, "not_before": None, "announced_at": None, **_NO_REASON}
        move(session, seen, JobState.QUEUED, "retried", None, fresh, now)
        return JobState.QUEUED
    move(session, seen, JobState.DERIVED, "retried", None, _NO_REASON, now)
    again = reopen_failed_deliveries(session, job_id, now=now)
    if again + plan_deliveries(session, job_id, now=now, routing=routing) == 0:
        raise NotRetryableError("NO_DESTINATION", f"no remote node is left that job {job_id} could be delivered to")
    return JobState.DERIVED


def locked(session: Session, job_id: str) -> Job | None:
    """The job as it is now, held against other transactions until this one ends."""
    return session.scalar(
        select(Job).where(Job.id == job_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def note(session: Session, job_id: str, event: str, detail: str | None, now: datetime) -> None:
    """Add a line to the history that changes no state."""
    record_event(session, job_id, event, now=now, detail=detail)


@dataclass(frozen=True)
class Seen:
    """What a change starts from; the row must still be so."""

    job_id: str
    state: JobState
    fencing_token: int


def _held(claim: Claim) -> Seen:
    return Seen(claim.job_id, JobState.RUNNING, claim.fencing_token)


def reason(code: str, detail: str) -> dict[str, Any]:
    """The columns that say why."""
    return {"reason_code": code, "reason_detail": detail}


def expire_lease(session: Session, job_id: str, fencing_token: int, now: datetime) -> bool:
    """RUNNING to QUEUED if the lease has run out by `now`; False: it has not, or somebody else was faster."""
    # The condition on the time is part of the swap: the holder may have renewed since the row was read.
    seen = Seen(job_id, JobState.RUNNING, fencing_token)
    values = {"announced_at": None, **NO_LEASE}
    return move(session, seen, JobState.QUEUED, "lease_expired", None, values, now, Job.lease_expires_at <= now)


def move(
    session: Session,
    seen: Seen,
    target: JobState,
    event: str,
    detail: str | None,
    values: dict[str, Any],
    now: datetime,
    *conditions: ColumnElement[bool],
) -> bool:
    """The one place where a job changes state."""
    check(seen.state, target)
    if not _swap(session, seen, {"state": target, **values}, now, *conditions):
        return False
    record_event(session, seen.job_id, event, now=now, from_state=seen.state, to_state=target, detail=detail)
    return True


def _swap(
    session: Session, seen: Seen, values: dict[str, Any], now: datetime, *conditions: ColumnElement[bool]
) -> bool:
    return swap(session, Job, seen.job_id, seen.state, seen.fencing_token, values, now, *conditions)
