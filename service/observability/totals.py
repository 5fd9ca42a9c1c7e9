"""Totals that finished jobs leave behind: the time in each stage as a histogram, and the outcomes by model.

The history of jobs (`job_events`) is read once, in its order, by whichever network worker has the walk `totals` in
hand; what was counted and how far are committed together, so nothing is counted twice. Events of the last minute are
left to the next pass: on PostgreSQL a number that was drawn earlier may be committed later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import CursorResult, Row, insert, select, update
from sqlalchemy.orm import Session

from service.registry.job_states import JobPurpose, JobState
from service.registry.tables import Job, JobEvent
from service.registry.total_table import MetricTotal
from service.registry.upkeep_tasks import claim_task, pass_ended

WALK = "totals"
SETTLED_AFTER = timedelta(seconds=60)
AT_ONCE = 1000
LEASE_S = 60.0
STAGE, OUTCOME = "stage", "outcome"
NO_MODEL = "none"
BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0, float("inf"))
STAGES: dict[tuple[JobState, JobState], str] = {
    (JobState.QUEUED, JobState.RUNNING): "wait",
    (JobState.RUNNING, JobState.DERIVED): "compute",
    (JobState.DERIVED, JobState.DELIVERED): "deliver",
    (JobState.DELIVERED, JobState.COMMITTED): "commit",
}
OUTCOMES = {JobState.FAILED, JobState.REFUSED, JobState.CANCELLED}

_Event = Row[int, str, datetime, JobState | None, JobState | None]


@dataclass(frozen=True)
class StageTotal:
    """`buckets`: how many took at most so many seconds, growing; `seconds`: all of them together."""

    buckets: tuple[tuple[float, int], ...]
    seconds: float


@dataclass(frozen=True)
class Totals:
    """By stage, and by (model, outcome)."""

    stages: dict[str, StageTotal]
    outcomes: dict[tuple[str, ...], int]


@dataclass
class _Tally:
    numbers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, str, str], float] = field(default_factory=lambda: defaultdict(float))


def count_finished(session: Session, *, owner: str, now: datetime) -> int:
    """Count the next events and return how many were read; 0: all are counted, or another process counts.

    The caller commits: numbers and position stand in one transaction.
    """
    claim = claim_task(session, WALK, owner=owner, lease_s=LEASE_S, now=now)
    if claim is None:
        return 0
    after = int(claim.position or 0)
    columns = (JobEvent.id, JobEvent.job_id, JobEvent.at, JobEvent.from_state, JobEvent.to_state)
    rows = session.execute(select(*columns).where(JobEvent.id > after).order_by(JobEvent.id).limit(AT_ONCE)).all()
    settled = list(takewhile(lambda row: row.at <= now - SETTLED_AFTER, rows))
    _add(session, _tally(session, settled))
    pass_ended(session, claim, str(settled[-1].id if settled else after), now=now)
    return len(settled)


def read_totals(session: Session) -> Totals:
    """What has been counted so far."""
    rows = session.execute(
        select(MetricTotal.family, MetricTotal.label, MetricTotal.part, MetricTotal.number, MetricTotal.seconds)
    ).all()
    of_stages = [row for row in rows if row.family == STAGE]
    stages: dict[str, StageTotal] = {}
    for stage in STAGES.values():
        numbers = {row.part: row.number for row in of_stages if row.label == stage}
        growing, total = [], 0
        for bound in BOUNDS_S:
            total += numbers.get(str(bound), 0)
            growing.append((bound, total))
        stages[stage] = StageTotal(tuple(growing), sum(row.seconds for row in of_stages if row.label == stage))
    outcomes: dict[tuple[str, ...], int] = {(row.label, row.part): row.number for row in rows if row.family == OUTCOME}
    return Totals(stages, outcomes)


def _tally(session: Session, events: Sequence[_Event]) -> _Tally:
    """Of companions only: notices of refusals are quick, and would make the rest look so."""
    tally = _Tally()
    moves = [event for event in events if event.from_state is not None and event.to_state is not None]
    job_ids = {event.job_id for event in moves}
    if not job_ids:
        return tally
    wanted = select(Job.id, Job.model_name).where(Job.id.in_(job_ids), Job.purpose == JobPurpose.SUPPRESS)
    models = {row.id: row.model_name or NO_MODEL for row in session.execute(wanted)}
    entered = (
        select(JobEvent.id, JobEvent.job_id, JobEvent.at, JobEvent.to_state)
        .where(JobEvent.job_id.in_(models), JobEvent.to_state.is_not(None), JobEvent.id < moves[-1].id)
        .order_by(JobEvent.id)
    )
    history: dict[str, list[tuple[int, datetime, JobState | None]]] = defaultdict(list)
    for row in session.execute(entered):
        history[row.job_id].append((row.id, row.at, row.to_state))
    for move in moves:
        if move.job_id not in models:
            continue
        stage = STAGES.get((move.from_state, move.to_state))
        since = [at for number, at, state in history[move.job_id] if number < move.id and state is move.from_state]
        if stage is not None and since:
            took = max(0.0, (move.at - since[-1]).total_seconds())
            bucket = (STAGE, stage, str(next(bound for bound in BOUNDS_S if took <= bound)))
            tally.numbers[bucket] += 1
            tally.seconds[bucket] += took
        if stage == "compute" or move.to_state in OUTCOMES:
            tally.numbers[OUTCOME, models[move.job_id], str(move.to_state)] += 1
    return tally


def _add(session: Session, tally: _Tally) -> None:
    for (family, label, part), number in tally.numbers.items():
        seconds = tally.seconds.get((family, label, part), 0.0)
        this = (MetricTotal.family == family, MetricTotal.label == label, MetricTotal.part == part)
        grown = session.execute(
            update(MetricTotal)
            .where(*this)
            .values(number=MetricTotal.number + number, seconds=MetricTotal.seconds + seconds)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(grown, CursorResult)
        if grown.rowcount == 0:
            values = {"family": family, "label": label, "part": part, "number": number, "seconds": seconds}
            session.execute(insert(MetricTotal).values(values))
