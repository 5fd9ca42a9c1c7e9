"""Files and the rows that name them, in both directions, for reconciliation. The caller commits."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, CursorResult, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.registry import jobs
from service.registry.job_states import JobState
from service.registry.tables import Instance, Job, RejectedObject, Result


class Naming(StrEnum):
    """What rows say about a file."""

    WANTED = "WANTED"
    """At least one row needs it."""
    REMOVED = "REMOVED"
    """Rows name it, and all say that retention has removed it."""


class Table(StrEnum):
    """Whose files are read again."""

    SOURCE = "source"
    DERIVED = "derived"


@dataclass(frozen=True)
class KeptFile:
    """A file that a row needs; `fault` is what is known to be wrong with it."""

    table: Table
    row_id: int
    path: str
    sha256: str
    fault: str | None


def naming_of(session: Session, paths: Collection[str]) -> dict[str, Naming]:
    """What rows say about each of `paths`; one that no row names is absent."""
    found: dict[str, Naming] = {}
    for path_column, removed_column in _columns():
        rows = session.execute(select(path_column, removed_column).where(path_column.in_(list(paths)))).all()
        for path, removed_at in rows:
            if removed_at is None:
                found[path] = Naming.WANTED
            else:
                found.setdefault(path, Naming.REMOVED)
    return found


def is_wanted(session: Session, path: str) -> bool:
    """Whether any row needs the file at `path`."""
    return naming_of(session, [path]).get(path) is Naming.WANTED


def anything_received(session: Session) -> bool:
    """Whether the registry knows any instance at all: an empty one is more likely the wrong one."""
    return bool(session.scalar(select(exists().select_from(Instance))))


def next_kept(session: Session, table: Table, after_id: int, limit: int) -> list[KeptFile]:
    """Files that rows need, by row id."""
    owner = _owner(table)
    rows = session.execute(
        select(owner.id, owner.path, owner.sha256, owner.file_fault)
        .where(owner.file_removed_at.is_(None), owner.id > after_id)
        .order_by(owner.id)
        .limit(limit)
    ).all()
    return [KeptFile(table, row.id, row.path, row.sha256, row.file_fault) for row in rows]


def faulty_files(session: Session, limit: int = 100) -> list[KeptFile]:
    """Files that are missing or altered, as far as is known."""
    found = []
    for table in Table:
        owner = _owner(table)
        rows = session.execute(
            select(owner.id, owner.path, owner.sha256, owner.file_fault)
            .where(owner.file_fault.is_not(None), owner.file_removed_at.is_(None))
            .order_by(owner.id)
            .limit(limit)
        ).all()
        found += [KeptFile(table, row.id, row.path, row.sha256, row.file_fault) for row in rows]
    return found


def count_faults(session: Session) -> dict[tuple[str, ...], int]:
    """By kind and code."""
    counts: dict[tuple[str, ...], int] = {}
    for table in Table:
        owner = _owner(table)
        rows = session.execute(
            select(owner.file_fault, func.count())
            .where(owner.file_fault.is_not(None), owner.file_removed_at.is_(None))
            .group_by(owner.file_fault)
        ).all()
        counts |= {(str(table), str(code)): number for code, number in rows}
    return counts


def record_fault(session: Session, kept: KeptFile, code: str | None, *, now: datetime) -> bool:
    """Write down what is wrong with a file, None: nothing any more; False: that was known, or the file is not needed.

    The jobs of the file say so in their history.
    """
    owner = _owner(kept.table)
    known = owner.file_fault.is_not(None) if code is None else owner.file_fault.is_distinct_from(code)
    changed = session.execute(
        update(owner)
        .where(owner.id == kept.row_id, owner.file_removed_at.is_(None), owner.path == kept.path, known)
        .values(file_fault=code, file_fault_at=now if code else None)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    if changed.rowcount != 1:
        return False
    for job_id in _jobs_of(session, kept):
        event = "stored_file_fault" if code else "stored_file_restored"
        jobs.note(session, job_id, event, f"{code}: {kept.path}" if code else kept.path, now)
    return True


def waiting_jobs(session: Session, kept: KeptFile) -> list[str]:
    """Jobs that have yet to read this source."""
    if kept.table is not Table.SOURCE:
        return []
    return list(
        session.scalars(select(Job.id).where(Job.instance_id == kept.row_id, Job.state == JobState.QUEUED)).all()
    )


def file_returned(session: Session, sop_instance_uid: str, *, now: datetime) -> None:
    """An instance that is known was sent again, and its file is there again if it was gone."""
    gone = Instance.file_removed_at.is_not(None) | Instance.file_fault.is_not(None)
    session.execute(
        update(Instance)
        .where(Instance.sop_instance_uid == sop_instance_uid, gone)
        .values(file_removed_at=None, file_returned_at=now, file_fault=None, file_fault_at=None)
        .execution_options(synchronize_session=False)
    )


def _jobs_of(session: Session, kept: KeptFile) -> list[str]:
    if kept.table is Table.SOURCE:
        return list(session.scalars(select(Job.id).where(Job.instance_id == kept.row_id)).all())
    return list(session.scalars(select(Result.job_id).where(Result.id == kept.row_id)).all())


def _owner(table: Table) -> type[Instance] | type[Result]:
    return Instance if table is Table.SOURCE else Result


def _columns() -> Iterator[tuple[InstrumentedAttribute[str], ColumnElement[datetime | None]]]:
    for owner in (Instance, Result, RejectedObject):
        yield owner.path, owner.file_removed_at  # type: ignore[misc]
    for preview in (Job.preview_source_path, Job.preview_soft_path, Job.preview_bone_path):
        yield preview, Job.previews_removed_at  # type: ignore[misc]
