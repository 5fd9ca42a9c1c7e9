"""The history of a job: written beside every change of state, in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from service.registry.job_states import JobState
from service.registry.tables import JobEvent


def record_event(
    session: Session,
    job_id: str,
    event: str,
    *,
    now: datetime,
    from_state: JobState | None = None,
    to_state: JobState | None = None,
    detail: str | None = None,
) -> None:
    """Append one line; `from_state` and `to_state` are None when the event changed no state of the job."""
    values = {"job_id": job_id, "at": now, "event": event, "from_state": from_state, "to_state": to_state}
    session.execute(insert(JobEvent).values(**values, detail=detail))
