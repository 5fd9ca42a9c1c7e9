"""How a job's row changes: one compare-and-swap on what was seen, with a line of history in the same transaction.

For `jobs`, `job_endings`, `retries` and `cancellation`, which say what changes and why. The caller commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.registry.compare_and_swap import swap
from service.registry.job_events import record_event
from service.registry.job_states import JobState, check
from service.registry.tables import Job

NO_REASON: dict[str, Any] = {"reason_code": None, "reason_detail": None}


@dataclass(frozen=True)
class Seen:
    """What a change starts from; the row must still be so."""

    job_id: str
    state: JobState
    fencing_token: int


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
    if not swap_job(session, seen, {"state": target, **values}, now, *conditions):
        return False
    record_event(session, seen.job_id, event, now=now, from_state=seen.state, to_state=target, detail=detail)
    return True


def swap_job(
    session: Session, seen: Seen, values: dict[str, Any], now: datetime, *conditions: ColumnElement[bool]
) -> bool:
    """Change columns without a line of history; False: the row is not as it was seen."""
    return swap(session, Job, seen.job_id, seen.state, seen.fencing_token, values, now, *conditions)


def locked(session: Session, job_id: str) -> Job | None:
    """The job as it is now, held against other transactions until this one ends."""
    return session.scalar(
        select(Job).where(Job.id == job_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def note(session: Session, job_id: str, event: str, detail: str | None, now: datetime) -> None:
    """Add a line to the history that changes no state."""
    record_event(session, job_id, event, now=now, detail=detail)


def reason(code: str, detail: str) -> dict[str, Any]:
    """The columns that say why."""
    return {"reason_code": code, "reason_detail": detail}
