"""Which files may be removed, and the record that they were: the row first, then the file.

A file may go once its job has done its duty: delivered, proven to have arrived where any of its nodes is asked for
proof, or refused. Never that of a job that is under way or failed, and never an instance that we have committed to
keep. One that is missing or altered goes like any other, and its fault with it: nobody needs it any more. Each function
looks at a window of rows behind a position, marks those that may go and returns their paths; what stays for ever is
passed by, not met again at every pass. The caller commits, then unlinks what `is_wanted` by no row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Instance, Job, RejectedObject, RemoteNode, Result

DONE = frozenset({JobState.DELIVERED, JobState.COMMITTED})


@dataclass(frozen=True)
class Window:
    """What one pass did: `paths` may be unlinked; `position` is where the next one goes on, None: from the start."""

    paths: tuple[str, ...]
    position: str | None


def mark_sources(
    session: Session,
    *,
    position: str,
    delivered_before: datetime | None,
    refused_before: datetime | None,
    now: datetime,
    limit: int,
) -> Window:
    """Received instances. None as a time: such files stay for ever."""
    rows = session.execute(
        select(Instance.id, Instance.path, Instance.eligible, Instance.received_at, Instance.file_returned_at)
        .where(Instance.file_removed_at.is_(None), Instance.id > _number(position))
        .where(Instance.promised_at.is_(None))
        .order_by(Instance.id)
        .limit(limit)
    ).all()
    jobs = _jobs_of(session, [row.id for row in rows])
    going = []
    for row in rows:
        of_this = jobs.get(row.id, ())
        ended = max([row.received_at, *(job.updated_at for job in of_this)])
        limit_at = delivered_before if any(job.state in DONE and job.of_image for job in of_this) else refused_before
        may_go = all(job.may_go for job in of_this) and (of_this or not row.eligible)
        if may_go and limit_at is not None and max(ended, row.file_returned_at or ended) <= limit_at:
            going.append(row)
    marked: list[str] = []
    for row in going:
        # Asked again by the update itself: it may have been promised, or sent once more, since the row was read.
        unchanged = and_(
            Instance.id == row.id,
            Instance.file_removed_at.is_(None),
            Instance.promised_at.is_(None),
            Instance.file_returned_at.is_(None)
            if row.file_returned_at is None
            else Instance.file_returned_at == row.file_returned_at,
        )
        removed = update(Instance).where(unchanged).values(file_removed_at=now).returning(Instance.path)
        marked += session.scalars(removed.execution_options(synchronize_session=False)).all()
    return Window(tuple(marked), _next([row.id for row in rows], limit))


def mark_results(
    session: Session, *, position: str, delivered_before: datetime | None, now: datetime, limit: int
) -> Window:
    """Derived objects."""
    rows = session.execute(
        select(Result.id, Result.path, Result.job_id)
        .where(Result.file_removed_at.is_(None), Result.id > _number(position))
        .order_by(Result.id)
        .limit(limit)
    ).all()
    done = _done_jobs(session, {row.job_id for row in rows}, delivered_before)
    going = [row for row in rows if row.job_id in done]
    if going:
        removed = update(Result).where(Result.id.in_([row.id for row in going])).values(file_removed_at=now)
        session.execute(removed.execution_options(synchronize_session=False))
    return Window(tuple(row.path for row in going), _next([row.id for row in rows], limit))


def mark_previews(
    session: Session, *, position: str, delivered_before: datetime | None, now: datetime, limit: int
) -> Window:
    """Pictures of the admin page; the position is a time and a job."""
    behind = []
    if position:
        moment, _, job_id = position.partition("|")
        at = datetime.fromisoformat(moment)
        behind = [or_(Job.created_at > at, and_(Job.created_at == at, Job.id > job_id))]
    rows = session.execute(
        select(Job.id, Job.created_at, Job.preview_source_path, Job.preview_soft_path, Job.preview_bone_path)
        .where(Job.previews_removed_at.is_(None), *behind)
        .order_by(Job.created_at, Job.id)
        .limit(limit)
    ).all()
    with_pictures = {row.id for row in rows if row.preview_source_path is not None}
    done = _done_jobs(session, with_pictures, delivered_before)
    if done:
        removed = update(Job).where(Job.id.in_(done)).values(previews_removed_at=now)
        session.execute(removed.execution_options(synchronize_session=False))
    paths = [
        path
        for row in rows
        if row.id in done
        for path in (row.preview_source_path, row.preview_soft_path, row.preview_bone_path)
        if path is not None
    ]
    last = rows[-1] if len(rows) == limit else None
    return Window(tuple(paths), f"{last.created_at.isoformat()}|{last.id}" if last is not None else None)


def mark_quarantined(
    session: Session, *, position: str, received_before: datetime | None, now: datetime, limit: int
) -> Window:
    """Other content under a known UID."""
    if received_before is None:
        return Window((), None)
    rows = session.execute(
        select(RejectedObject.id, RejectedObject.path, RejectedObject.received_at)
        .where(RejectedObject.file_removed_at.is_(None), RejectedObject.id > _number(position))
        .order_by(RejectedObject.id)
        .limit(limit)
    ).all()
    going = [row for row in rows if row.path is not None and row.received_at <= received_before]
    if going:
        removed = update(RejectedObject).where(RejectedObject.id.in_([row.id for row in going]))
        session.execute(removed.values(file_removed_at=now).execution_options(synchronize_session=False))
    return Window(tuple(str(row.path) for row in going), _next([row.id for row in rows], limit))


@dataclass(frozen=True)
class _JobOfInstance:
    state: JobState
    of_image: bool
    may_go: bool
    updated_at: datetime


def _jobs_of(session: Session, instance_ids: Sequence[int]) -> dict[int, list[_JobOfInstance]]:
    rows = session.execute(
        select(Job.id, Job.instance_id, Job.state, Job.purpose, Job.updated_at).where(Job.instance_id.in_(instance_ids))
    ).all()
    unproven = _unproven(session, {row.id for row in rows if row.state is JobState.DELIVERED})
    found: dict[int, list[_JobOfInstance]] = {}
    for row in rows:
        may_go = row.state is JobState.REFUSED or (row.state in DONE and row.id not in unproven)
        found.setdefault(row.instance_id, []).append(
            _JobOfInstance(row.state, row.purpose == "SUPPRESS", may_go, row.updated_at)
        )
    return found


def _done_jobs(session: Session, job_ids: Collection[str], before: datetime | None) -> set[str]:
    """Those that were delivered, and proven where proof is asked for, before the given time."""
    if before is None or not job_ids:
        return set()
    rows = session.execute(
        select(Job.id, Job.state).where(Job.id.in_(job_ids), Job.state.in_(DONE), Job.updated_at <= before)
    ).all()
    return {row.id for row in rows} - _unproven(session, {row.id for row in rows if row.state is JobState.DELIVERED})


def _unproven(session: Session, job_ids: Collection[str]) -> set[str]:
    """Jobs of which something was sent to a node that is asked for proof, and has not given it."""
    if not job_ids:
        return set()
    return set(
        session.scalars(
            select(Delivery.job_id)
            .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
            .where(
                Delivery.job_id.in_(job_ids),
                Delivery.state == DeliveryState.SENT,
                RemoteNode.removed_at.is_(None),
                or_(RemoteNode.requests_commitment, RemoteNode.verifies),
            )
        )
    )


def _number(position: str) -> int:
    return int(position) if position else 0


def _next(ids: Sequence[int], limit: int) -> str | None:
    return str(ids[-1]) if len(ids) == limit else None
