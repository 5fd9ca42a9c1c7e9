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

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.claims import Claim as Claim
from service.registry.claims import DerivedFacts as DerivedFacts
from service.registry.compare_and_swap import NO_LEASE, mark_announced, swap
from service.registry.delivery_plan import plan_deliveries, reopen_failed_deliveries
from service.registry.job_events import record_event
from service.registry.job_states import JobState, check
from service.registry.tables import Instance, Job

SILENT_FOR_S = 30.0
_NO_REASON: dict[str, Any] = {"reason_code": None, "reason_detail": None}


class NotRetryableError(PermanentError):
    """The job is unknown or has not failed."""


def enqueue(session: Session, instance_id: int, *, now: datetime) -> str:
    """Create the QUEUED job of an instance and return its id; the caller announces it after its commit."""
    job = Job(
        id=str(uuid.uuid4()),
        instance_id=instance_id,
        state=JobState.QUEUED,
        attempts=0,
        announced_at=now,
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


def queue_depth(session: Session) -> int:
    """Jobs that wait for inference or are under inference."""
    waiting = select(func.count()).select_from(Job).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING]))
    return session.scalar(waiting) or 0


def claim(session: Session, job_id: str, *, owner: str, lease_s: float, now: datetime) -> Claim | None:
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
        )
        .join(Instance, Instance.id == Job.instance_id)
        .where(Job.id == job_id)
    ).one_or_none()
    if row is None or (row.not_before is not None and row.not_before > now):
        return None
    if row.state is JobState.RUNNING:
        if not _expire(session, job_id, row.fencing_token, now):
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
    seen = _Seen(job_id, JobState.QUEUED, row.fencing_token)
    if not _move(session, seen, JobState.RUNNING, "claimed", f"attempt {attempts} by {owner}", values, now):
        return None
    return Claim(job_id, row.fencing_token + 1, attempts, row.path, row.sha256, row.sop_instance_uid)


def renew(session: Session, claim: Claim, *, lease_s: float, step: int, total_steps: int, now: datetime) -> bool:
    """Extend the lease and show progress; False: somebody else owns the job now, stop working."""
    progress = {"lease_expires_at": now + timedelta(seconds=lease_s), "step": step, "total_steps": total_steps}
    return _swap(session, _held(claim), progress, now)


def record_derived(session: Session, claim: Claim, derived: DerivedFacts, *, now: datetime) -> bool:
    """RUNNING to DERIVED with one PENDING delivery per remote node that receives results.

    Without such a node the job stays DERIVED and the history says that it waits for a destination.
    """
    values = {
        "derived_sop_instance_uid": derived.sop_instance_uid,
        "derived_series_instance_uid": derived.series_instance_uid,
        "derived_path": derived.path,
        "derived_sha256": derived.sha256,
        "preview_source_path": derived.preview_source_path,
        "preview_soft_path": derived.preview_soft_path,
        "preview_bone_path": derived.preview_bone_path,
        "model_name": derived.model_name,
        "model_sha256": derived.model_sha256,
        "device": derived.device,
        **NO_LEASE,
        **_NO_REASON,
    }
    if not _move(session, _held(claim), JobState.DERIVED, "derived", derived.sop_instance_uid, values, now):
        return False
    if plan_deliveries(session, claim.job_id, now=now) == 0:
        record_event(session, claim.job_id, "waiting_for_destination", now=now)
    return True


def release(
    session: Session, claim: Claim, *, code: str, detail: str, not_before: datetime | None, now: datetime
) -> bool:
    """Give the job back after a transient error: RUNNING to QUEUED, due at `not_before` (None: at once)."""
    values = {"not_before": not_before, "announced_at": None, **_reason(code, detail), **NO_LEASE}
    return _move(session, _held(claim), JobState.QUEUED, "released", f"{code}: {detail}", values, now)


def fail(session: Session, claim: Claim, *, code: str, detail: str, now: datetime) -> bool:
    """RUNNING to FAILED, with the reason an operator will read."""
    values = {**_reason(code, detail), **NO_LEASE}
    return _move(session, _held(claim), JobState.FAILED, "failed", f"{code}: {detail}", values, now)


def retry(session: Session, job_id: str, *, now: datetime) -> JobState:
    """Start a FAILED job again, with a fresh budget: from the inference, or from the delivery of what is derived.

    Returns the new state. Raises NotRetryableError when the job is unknown or not FAILED.
    """
    job = locked(session, job_id)
    if job is None:
        raise NotRetryableError("JOB_UNKNOWN", f"no job {job_id}")
    if job.state is not JobState.FAILED:
        raise NotRetryableError("JOB_NOT_FAILED", f"expected job {job_id} to be FAILED, found {job.state}")
    seen = _Seen(job.id, JobState.FAILED, job.fencing_token)
    if job.derived_path is None:
        fresh = {"attempts": 0, "not_before": None, "announced_at": None, **_NO_REASON}
        _move(session, seen, JobState.QUEUED, "retried", None, fresh, now)
        return JobState.QUEUED
    _move(session, seen, JobState.DERIVED, "retried", None, _NO_REASON, now)
    if reopen_failed_deliveries(session, job_id, now=now) + plan_deliveries(session, job_id, now=now) == 0:
        raise NotRetryableError("NO_DESTINATION", f"no remote node is left that job {job_id} could be delivered to")
    return JobState.DERIVED


def finish_delivered(session: Session, job: Job, *, now: datetime) -> bool:
    """DERIVED to DELIVERED, once every delivery is SENT; `job` comes from `locked` in this transaction."""
    seen = _Seen(job.id, JobState.DERIVED, job.fencing_token)
    return _move(session, seen, JobState.DELIVERED, "delivered", None, {}, now)


def finish_undelivered(session: Session, job: Job, *, code: str, detail: str, now: datetime) -> bool:
    """DERIVED to FAILED, once no delivery is under way and one has failed; `job` comes from `locked`."""
    seen = _Seen(job.id, JobState.DERIVED, job.fencing_token)
    return _move(session, seen, JobState.FAILED, "failed", f"{code}: {detail}", _reason(code, detail), now)


def locked(session: Session, job_id: str) -> Job | None:
    """The job as it is now, held against other transactions until this one ends."""
    return session.scalar(
        select(Job).where(Job.id == job_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def note(session: Session, job_id: str, event: str, detail: str | None, now: datetime) -> None:
    """Add a line to the history that changes no state."""
    record_event(session, job_id, event, now=now, detail=detail)


def due_inference(session: Session, now: datetime, limit: int, *, silent_for_s: float = SILENT_FOR_S) -> list[str]:
    """Take back expired leases, then name the QUEUED jobs to announce (again), oldest first, and mark them announced.

    A job is named when it is due and its last announcement, if any, was longer than `silent_for_s` ago. `limit` bounds
    both steps, so that a sweep costs the same however long the queue is.
    """
    expired = session.execute(
        select(Job.id, Job.fencing_token)
        .where(Job.state == JobState.RUNNING, Job.lease_expires_at <= now)
        .order_by(Job.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in expired:
        _expire(session, row.id, row.fencing_token, now)
    silent_since = now - timedelta(seconds=silent_for_s)
    due = session.scalars(
        select(Job.id)
        .where(
            Job.state == JobState.QUEUED,
            or_(Job.not_before.is_(None), Job.not_before <= now),
            or_(Job.announced_at.is_(None), Job.announced_at <= silent_since),
        )
        .order_by(Job.created_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    mark_announced(session, Job, due, now)
    return list(due)


@dataclass(frozen=True)
class _Seen:
    """What a change starts from; the row must still be so."""

    job_id: str
    state: JobState
    fencing_token: int


def _held(claim: Claim) -> _Seen:
    return _Seen(claim.job_id, JobState.RUNNING, claim.fencing_token)


def _reason(code: str, detail: str) -> dict[str, Any]:
    return {"reason_code": code, "reason_detail": detail}


def _expire(session: Session, job_id: str, fencing_token: int, now: datetime) -> bool:
    # The condition on the time is part of the swap: the holder may have renewed since the row was read.
    seen = _Seen(job_id, JobState.RUNNING, fencing_token)
    values = {"announced_at": None, **NO_LEASE}
    return _move(session, seen, JobState.QUEUED, "lease_expired", None, values, now, Job.lease_expires_at <= now)


def _move(
    session: Session,
    seen: _Seen,
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
    session: Session, seen: _Seen, values: dict[str, Any], now: datetime, *conditions: ColumnElement[bool]
) -> bool:
    return swap(session, Job, seen.job_id, seen.state, seen.fencing_token, values, now, *conditions)
