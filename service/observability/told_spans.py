"""Which spans have been told to the collector: the walk `traces` over the history of jobs, one process at a time.

A bounded part of `job_events` is read at a time, in its order. The walk goes on only when the collector has taken what
was told, so an outage of it loses no span; what was taken twice has the same ids. Lines of the last minute are left to
the next pass: on PostgreSQL a number that was drawn earlier may be committed later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.observability.spans import Move, Span, spans
from service.registry.tables import Job, JobEvent
from service.registry.upkeep_tasks import TaskClaim, claim_task, pass_ended

WALK = "traces"
SETTLED_AFTER = timedelta(seconds=60)
AT_ONCE = 500
LEASE_S = 120.0


@dataclass(frozen=True)
class ToldSpan:
    """A span with what its job says of itself; `model` None: nothing computed yet."""

    span: Span
    job_id: str
    purpose: str
    model: str | None


def tell_spans(
    sessions: sessionmaker[Session],
    take: Callable[[Sequence[ToldSpan]], bool],
    *,
    owner: str,
    clock: Callable[[], datetime],
) -> int:
    """Hand the next spans to `take`, which answers whether the collector has them. Returns lines gone on by.

    0: nothing has settled, `take` said no, or another process has the walk. The first pass ever begins at the newest
    line, so that turning traces on does not send a history of years. No transaction is open while `take` runs.
    """
    with transaction(sessions) as session:
        claim = claim_task(session, WALK, owner=owner, lease_s=LEASE_S, now=clock())
        if claim is None:
            return 0
        if not claim.position:
            newest = session.scalar(select(func.max(JobEvent.id))) or 0
            pass_ended(session, claim, str(newest), now=clock())
            return 0
        after = int(claim.position)
        columns = (JobEvent.id, JobEvent.at, JobEvent.job_id)
        rows = session.execute(select(*columns).where(JobEvent.id > after).order_by(JobEvent.id).limit(AT_ONCE)).all()
        settled = list(takewhile(lambda row: row.at <= clock() - SETTLED_AFTER, rows))
        told = _spans_of(session, {row.job_id for row in settled}, after, settled[-1].id) if settled else []
    taken = False
    try:
        taken = not told or take(told)
    finally:
        _give_back(sessions, claim, str(settled[-1].id if settled and taken else after), clock())
    return len(settled) if taken else 0


def _spans_of(session: Session, job_ids: set[str], after: int, up_to: int) -> list[ToldSpan]:
    """What ended between the two lines of the history, in its order."""
    history: dict[str, list[Move]] = defaultdict(list)
    columns = (JobEvent.id, JobEvent.job_id, JobEvent.at, JobEvent.from_state, JobEvent.to_state)
    moves = select(*columns).where(JobEvent.job_id.in_(job_ids), JobEvent.id <= up_to).order_by(JobEvent.id)
    for row in session.execute(moves):
        if row.to_state is not None:
            history[row.job_id].append(Move(row.id, row.at, row.from_state, row.to_state))
    jobs = session.execute(select(Job.id, Job.purpose, Job.model_name).where(Job.id.in_(job_ids)))
    found = [
        ToldSpan(span, job.id, str(job.purpose), job.model_name)
        for job in jobs
        for span in spans(job.id, history[job.id])
        if span.told_by > after
    ]
    return sorted(found, key=lambda told: told.span.told_by)


def _give_back(sessions: sessionmaker[Session], claim: TaskClaim, position: str, now: datetime) -> None:
    with transaction(sessions) as session:
        pass_ended(session, claim, position, now=now)
