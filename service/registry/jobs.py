"""Jobs: the only writer of `Job.state`.

Every change is one compare-and-swap on (id, state, fencing_token) with a line of history in the same transaction; a
function that returns False changed nothing, because somebody else was faster. A claim is a lease: its holder renews it
while it works, and after it has run out the job belongs to whoever claims it next. The caller commits.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry.claims import Claim as Claim
from service.registry.claims import DerivedFacts as DerivedFacts
from service.registry.claims import ResultFacts as ResultFacts
from service.registry.compare_and_swap import NO_LEASE
from service.registry.delivery_plan import plan_or_wait
from service.registry.job_changes import NO_REASON, Seen, move, swap_job
from service.registry.job_changes import locked as locked
from service.registry.job_changes import note as note
from service.registry.job_changes import reason as reason
from service.registry.job_events import record_event
from service.registry.job_states import JobPurpose, JobState
from service.registry.receipts import record_receipt
from service.registry.results import record_results
from service.registry.retries import EVERYWHERE as EVERYWHERE
from service.registry.retries import NotRetryableError as NotRetryableError
from service.registry.retries import deliver_again
from service.registry.retries import retry as retry
from service.registry.tables import Instance, Job
from service.registry.turns import draw_turn
from service.routing import Routing

SILENT_FOR_S = 30.0


def enqueue(
    session: Session,
    instance_id: int,
    *,
    now: datetime,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
    not_before: datetime | None = None,
    priority: Priority = Priority.ROUTINE,
    source: str | None = None,
    due_at: datetime | None = None,
) -> str:
    """Create a QUEUED job of an instance and return its id; the caller announces it after its commit.

    The row is the outbox too: it says that no message is known to have left, so that the next sweep sends one if the
    caller dies before it has. A job that may not begin before `not_before` is left to the sweep.
    `source` is the calling AE title, read from the instance when it is left out. At `due_at` the job is late.
    """
    source = source or session.scalar(select(Instance.calling_ae_title).where(Instance.id == instance_id))
    job = Job(
        id=str(uuid.uuid4()),
        instance_id=instance_id,
        purpose=purpose,
        state=JobState.QUEUED,
        priority=priority,
        source=source,
        turn=draw_turn(session, purpose, priority, source),
        due_at=due_at,
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
    record_event(session, job.id, "queued", now=now, to_state=JobState.QUEUED, detail=priority)
    return job.id


def instance_of(session: Session, job_id: str) -> int:
    """The row of the instance that a job is about."""
    return session.scalars(select(Job.instance_id).where(Job.id == job_id)).one()


def queue_depth(session: Session, at_most: int) -> int:
    """Jobs that wait for a worker or are in its hands, counted up to `at_most`: it is asked for with every image."""
    waiting = select(Job.id).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING])).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(waiting)) or 0


def priority_of(session: Session, job_id: str) -> Priority:
    """How urgent a job is."""
    return session.scalars(select(Job.priority).where(Job.id == job_id)).one()


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
        **NO_REASON,
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
    return swap_job(session, _held(claim), progress, now)


def record_derived(
    session: Session, claim: Claim, derived: DerivedFacts, *, now: datetime, routing: Routing = EVERYWHERE
) -> bool:
    """RUNNING to DERIVED with one PENDING delivery per result and remote node that gets it.

    Without any such node the job stays DERIVED, and its reason says that it waits for a destination. A job computed
    again, for its files were lost, goes on with the deliveries from before.
    """
    values = {
        "preview_source_path": derived.preview_source_path,
        "preview_soft_path": derived.preview_soft_path,
        "preview_bone_path": derived.preview_bone_path,
        "previews_removed_at": None,
        "model_name": derived.model_name,
        "model_sha256": derived.model_sha256,
        "device": derived.device,
        **NO_LEASE,
        **NO_REASON,
    }
    history = ", ".join(f"{result.kind} {result.sop_instance_uid}" for result in derived.results)
    if not move(session, _held(claim), JobState.DERIVED, "derived", history, values, now):
        return False
    record_results(session, claim.job_id, derived.results, now=now)
    if derived.receipt is not None:
        record_receipt(session, claim.job_id, derived.receipt, now=now)
    if not deliver_again(session, claim.job_id, now=now, routing=routing):
        plan_or_wait(session, claim.job_id, now=now, routing=routing)
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
    fresh = {"attempts": 0, "not_before": None, "announced_at": None, **NO_REASON}
    return move(session, seen, JobState.QUEUED, "reinstated", None, fresh, now)


def release(
    session: Session,
    claim: Claim,
    *,
    code: str,
    detail: str,
    not_before: datetime | None,
    now: datetime,
    counts: bool = True,
) -> bool:
    """Give the job back after a transient error: RUNNING to QUEUED, due at `not_before` (None: at once).

    `counts` False: the attempt is not held against the job, for nothing was wrong with it.
    """
    values = {"not_before": not_before, "announced_at": None, **reason(code, detail), **NO_LEASE}
    if not counts:
        values["attempts"] = claim.attempts - 1
    return move(session, _held(claim), JobState.QUEUED, "released", f"{code}: {detail}", values, now)


def fail(session: Session, claim: Claim, *, code: str, detail: str, now: datetime) -> bool:
    """RUNNING to FAILED, with the reason an operator will read."""
    values = {**reason(code, detail), **NO_LEASE}
    return move(session, _held(claim), JobState.FAILED, "failed", f"{code}: {detail}", values, now)


def _held(claim: Claim) -> Seen:
    return Seen(claim.job_id, JobState.RUNNING, claim.fencing_token)


def expire_lease(session: Session, job_id: str, fencing_token: int, now: datetime) -> bool:
    """RUNNING to QUEUED if the lease has run out by `now`; False: it has not, or somebody else was faster."""
    # The condition on the time is part of the swap: the holder may have renewed since the row was read.
    seen = Seen(job_id, JobState.RUNNING, fencing_token)
    values = {"announced_at": None, **NO_LEASE}
    return move(session, seen, JobState.QUEUED, "lease_expired", None, values, now, Job.lease_expires_at <= now)
