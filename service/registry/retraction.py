"""How an approved recall goes on, step by step; each may be repeated, by whichever worker. The caller commits.

First what is not sent yet is stopped, job by job. When nothing of a study is under way any more, one job (RETRACTION)
is made that makes its rejection note and has it delivered to every node that may have some of it. When all are told,
the recall is DONE.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from service.priorities import Priority
from service.registry import cancellation, jobs
from service.registry.job_changes import Seen, reason, swap_job
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.recall_states import OPEN_ITEMS, RecallItemState, RecallReason, RecallState
from service.registry.recall_tables import Recall, RecallItem
from service.registry.recalled import RECALLED, may_be_there
from service.registry.result_kinds import ResultKind
from service.registry.tables import Delivery, Instance, Job, RemoteNode, Result, Series

AT_ONCE = 100
"""Jobs, or studies, of one step: notes are made few at a time, lest they fill the queue that images wait in."""
_UNDER_WAY = (DeliveryState.PENDING, DeliveryState.SENDING)
_TOLD = (JobState.DELIVERED, JobState.COMMITTED)


@dataclass(frozen=True)
class Retracted:
    """A result that a note takes back."""

    kind: ResultKind
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True)
class NoteFacts:
    """What a rejection note is made of; `files` (path, SHA-256) are those whose header it may take, best first."""

    recall_id: str
    reason: RecallReason
    words: str
    approved_at: datetime
    results: tuple[Retracted, ...]
    files: tuple[tuple[str, str], ...]


def open_recalls(session: Session) -> list[str]:
    """Recalls that are approved and not done, oldest first."""
    under_way = Recall.state.in_([RecallState.APPROVED, RecallState.RETRACTING])
    return list(session.scalars(select(Recall.id).where(under_way).order_by(Recall.proposed_at)))


def advance(session: Session, recall_id: str, *, now: datetime) -> bool:
    """Take one step of a recall. True when it became DONE by it."""
    recall = session.scalar(
        select(Recall)
        .where(Recall.id == recall_id, Recall.state.in_([RecallState.APPROVED, RecallState.RETRACTING]))
        .with_for_update(skip_locked=True)
    )
    if recall is None:
        return False
    recall.state = RecallState.RETRACTING
    for job_id in _items(session, recall_id, RecallItemState.LISTED):
        if _stop(session, job_id, recall_id, now):
            _set(session, [job_id], RecallItemState.STOPPED)
    for study_id in _quiet_studies(session, recall_id):
        _tell(session, recall_id, study_id, now)
    _note_what_is_told(session, recall_id)
    left = select(RecallItem.job_id).where(RecallItem.recall_id == recall_id, RecallItem.state.in_(OPEN_ITEMS))
    if session.scalar(left.limit(1)) is not None:
        return False
    recall.state, recall.ended_at = RecallState.DONE, now
    session.flush()
    return True


def note_facts(session: Session, note_job_id: str) -> NoteFacts:
    """What the note of a RETRACTION job is made of; the same whenever it is asked for."""
    items = select(RecallItem.job_id).where(RecallItem.note_job_id == note_job_id)
    recall = session.scalars(
        select(Recall).join(RecallItem, RecallItem.recall_id == Recall.id).where(RecallItem.note_job_id == note_job_id)
    ).first()
    assert recall is not None
    assert recall.approved_at is not None
    sent = exists().where(Delivery.result_id == Result.id, may_be_there())
    results = session.scalars(select(Result).where(Result.job_id.in_(items), sent).order_by(Result.id)).all()
    sources = session.scalars(
        select(Instance)
        .join(Job, Job.instance_id == Instance.id)
        .where(Job.id.in_(items), Instance.file_removed_at.is_(None))
        .order_by(Instance.id)
    ).all()
    files = [(row.path, row.sha256) for row in sources]
    files += [(row.path, row.sha256) for row in results if row.file_removed_at is None]
    return NoteFacts(
        recall_id=recall.id,
        reason=recall.reason,
        words=recall.words,
        approved_at=recall.approved_at,
        results=tuple(
            Retracted(row.kind, row.sop_class_uid, row.sop_instance_uid, row.series_instance_uid) for row in results
        ),
        files=tuple(files),
    )


def _items(session: Session, recall_id: str, state: RecallItemState) -> list[str]:
    listed = select(RecallItem.job_id).where(RecallItem.recall_id == recall_id, RecallItem.state == state)
    return list(session.scalars(listed.order_by(RecallItem.job_id).limit(AT_ONCE)))


def _stop(session: Session, job_id: str, recall_id: str, now: datetime) -> bool:
    """Have nothing more of a job sent, and say so in its row; True when nothing is under way either."""
    job = jobs.locked(session, job_id)
    assert job is not None
    why = f"taken back by recall {recall_id}"
    if job.state in cancellation.CANCELLABLE:
        cancellation.cancel(session, job_id, now=now, code=RECALLED, why=why)
    else:
        cancellation.withdraw_pending(session, job_id, now=now)
        if job.reason_code != RECALLED:
            swap_job(session, Seen(job.id, job.state, job.fencing_token), reason(RECALLED, why), now)
            jobs.note(session, job_id, "recalled", why, now)
    under_way = select(Delivery.id).where(Delivery.job_id == job_id, Delivery.state.in_(_UNDER_WAY))
    return session.scalar(under_way.limit(1)) is None


def _quiet_studies(session: Session, recall_id: str) -> list[int]:
    """Studies of which some items are STOPPED and none is LISTED."""
    studies = (
        select(Series.study_id)
        .join(Instance, Instance.series_id == Series.id)
        .join(Job, Job.instance_id == Instance.id)
        .join(RecallItem, RecallItem.job_id == Job.id)
    )
    of_state = studies.where(RecallItem.recall_id == recall_id, RecallItem.state == RecallItemState.STOPPED).distinct()
    other_item, other_job, other_instance, other_series = (
        aliased(RecallItem), aliased(Job), aliased(Instance), aliased(Series)
    )  # fmt: skip
    listed = (
        select(other_item.job_id)
        .join(other_job, other_job.id == other_item.job_id)
        .join(other_instance, other_instance.id == other_job.instance_id)
        .join(other_series, other_series.id == other_instance.series_id)
        .where(
            other_item.recall_id == recall_id,
            other_item.state == RecallItemState.LISTED,
            other_series.study_id == Series.study_id,
        )
    )
    return list(session.scalars(of_state.where(~listed.exists()).limit(AT_ONCE)))


def _tell(session: Session, recall_id: str, study_id: int, now: datetime) -> None:
    """Queue the note of a study; its items are RETRACTING with it, or at their end where there is nobody to tell."""
    items = session.execute(
        select(RecallItem.job_id, Job.instance_id)
        .join(Job, Job.id == RecallItem.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .where(
            RecallItem.recall_id == recall_id,
            RecallItem.state == RecallItemState.STOPPED,
            Series.study_id == study_id,
        )
        .order_by(Job.instance_id)
    ).all()
    anywhere, reachable = (
        set(
            session.scalars(
                select(Delivery.job_id)
                .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
                .where(Delivery.job_id.in_([row.job_id for row in items]), may_be_there(), *conditions)
            )
        )
        for conditions in ((), (RemoteNode.removed_at.is_(None),))
    )
    _set(session, [row.job_id for row in items if row.job_id not in anywhere], RecallItemState.UNSENT)
    _set(session, sorted(anywhere - reachable), RecallItemState.UNREACHABLE)
    if not reachable:
        return
    anchor = next(row.instance_id for row in items if row.job_id in reachable)
    note_job_id = jobs.enqueue(session, anchor, now=now, purpose=JobPurpose.RETRACTION, priority=Priority.STAT)
    _set(session, sorted(reachable), RecallItemState.RETRACTING, note_job_id)


def _note_what_is_told(session: Session, recall_id: str) -> None:
    told = exists().where(Job.id == RecallItem.note_job_id, Job.state.in_(_TOLD))
    session.execute(
        update(RecallItem)
        .where(RecallItem.recall_id == recall_id, RecallItem.state == RecallItemState.RETRACTING, told)
        .values(state=RecallItemState.RETRACTED)
        .execution_options(synchronize_session=False)
    )


def _set(session: Session, job_ids: list[str], state: RecallItemState, note_job_id: str | None = None) -> None:
    if not job_ids:
        return
    changed = update(RecallItem).where(RecallItem.job_id.in_(job_ids))
    session.execute(changed.values(state=state, note_job_id=note_job_id).execution_options(synchronize_session=False))
