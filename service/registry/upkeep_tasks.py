"""Where the walks of the upkeep stand: one process at a time has a walk in hand, and any other goes on with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.registry.compare_and_swap import swap_fenced
from service.registry.upkeep_tables import UpkeepTask


@dataclass(frozen=True)
class TaskClaim:
    """The right to go on from `position` until the lease runs out."""

    name: str
    position: str
    fencing_token: int


@dataclass(frozen=True)
class TaskRow:
    """When a walk was last gone on with, and when it last came to its end; None: never."""

    name: str
    passed_at: datetime | None
    lap_ended_at: datetime | None


def claim_task(session: Session, name: str, *, owner: str, lease_s: float, now: datetime) -> TaskClaim | None:
    """Take the walk `name`; None: another process has it. The caller commits. One thread of a process walks."""
    _create(session, name)
    row = session.execute(
        select(UpkeepTask.position, UpkeepTask.fencing_token).where(
            UpkeepTask.name == name,
            or_(
                UpkeepTask.lease_expires_at.is_(None),
                UpkeepTask.lease_expires_at <= now,
                UpkeepTask.lease_owner == owner,  # could not give it back: the registry was away
            ),
        )
    ).one_or_none()
    if row is None:
        return None
    lease = {"lease_owner": owner, "lease_expires_at": now + timedelta(seconds=lease_s)}
    token = row.fencing_token + 1
    taken = _change(session, name, row.fencing_token, fencing_token=token, **lease)
    return TaskClaim(name, row.position, token) if taken else None


def pass_ended(session: Session, claim: TaskClaim, position: str | None, *, now: datetime) -> bool:
    """Give the walk back where it stands; `position` None: it has come to its end and begins anew."""
    values: dict[str, object] = {"position": position or "", "passed_at": now}
    if position is None:
        values["lap_ended_at"] = now
    return _change(session, claim.name, claim.fencing_token, lease_owner=None, lease_expires_at=None, **values)


def read_tasks(session: Session) -> list[TaskRow]:
    """All walks, by name."""
    rows = session.execute(select(UpkeepTask).order_by(UpkeepTask.name)).scalars().all()
    return [TaskRow(row.name, row.passed_at, row.lap_ended_at) for row in rows]


def _create(session: Session, name: str) -> None:
    if session.scalar(select(UpkeepTask.name).where(UpkeepTask.name == name)) is not None:
        return
    try:
        with session.begin_nested():
            session.execute(insert(UpkeepTask).values(name=name, position="", fencing_token=0))
    except IntegrityError:
        return  # another process was faster


def _change(session: Session, name: str, seen_token: int, **values: object) -> bool:
    return swap_fenced(session, UpkeepTask, UpkeepTask.name == name, seen_token, values)
