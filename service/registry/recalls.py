"""Recalls: proposed by one person, approved by another, carried out by `retraction`. The caller commits."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from service.errors import PermanentError
from service.registry.job_states import JobState
from service.registry.keyset import Key, older_than
from service.registry.recall_search import AtNode, RecallCriteria, at_nodes, candidates
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.recall_tables import Recall, RecallItem
from service.registry.tables import Delivery, Instance, Job, Series, Study

MOST_WORDS = 1000


class RecallRefusedError(PermanentError):
    """The recall is unknown, not in the state for this, or not for this person to approve."""


@dataclass(frozen=True)
class RecallRow:
    """A recall with the number of its jobs in each state that occurs."""

    recall_id: str
    state: RecallState
    reason: RecallReason
    words: str
    criteria: RecallCriteria
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    ended_at: datetime | None
    jobs_by_state: dict[RecallItemState, int]


@dataclass(frozen=True)
class RecallJobRow:
    """One job of a recall; `note_job_id` makes and delivers the rejection note of its study, and is `note_state`."""

    job_id: str
    state: RecallItemState
    study_instance_uid: str
    note_job_id: str | None
    note_state: JobState | None


def propose(
    session: Session, criteria: RecallCriteria, reason: RecallReason, words: str, *, by: str, now: datetime
) -> str:
    """Write down a recall of all that `criteria` find at this moment; returns its id. Nothing else changes yet.

    Raises PermanentError: RECALL_NO_CRITERION, RECALL_FINDS_NOTHING, RECALL_OVERLAPS (another was proposed meanwhile).
    """
    recall = Recall(
        id=str(uuid.uuid4()),
        state=RecallState.PROPOSED,
        reason=reason,
        words=words[:MOST_WORDS],
        proposed_by=by,
        proposed_at=now,
        **asdict(criteria),
    )
    found = candidates(criteria)
    session.add(recall)
    session.flush()
    state = literal(RecallItemState.LISTED, RecallItem.state.type)
    listed = found.with_only_columns(Job.id, literal(recall.id), state)
    try:
        session.execute(insert(RecallItem).from_select(["job_id", "recall_id", "state"], listed))
    except IntegrityError:
        raise PermanentError("RECALL_OVERLAPS", "another recall has just listed some of these; look again") from None
    if not session.scalar(select(RecallItem.job_id).where(RecallItem.recall_id == recall.id).limit(1)):
        raise PermanentError("RECALL_FINDS_NOTHING", "no result that is not recalled already fits what was asked for")
    return recall.id


def approve(session: Session, recall_id: str, *, by: str, now: datetime) -> None:
    """PROPOSED to APPROVED: from the commit on nothing of its jobs is sent any more.

    Raises RecallRefusedError: RECALL_UNKNOWN, RECALL_NOT_PROPOSED, RECALL_SAME_PERSON.
    """
    recall = _proposed(session, recall_id)
    if _same(recall.proposed_by, by):
        raise RecallRefusedError(
            "RECALL_SAME_PERSON", f"expected somebody else than {recall.proposed_by}, who proposed it, to approve it"
        )
    recall.state, recall.approved_by, recall.approved_at = RecallState.APPROVED, by, now
    session.flush()


def withdraw(session: Session, recall_id: str, *, now: datetime) -> None:
    """PROPOSED to WITHDRAWN; its jobs may be in another recall then. Raises RecallRefusedError."""
    recall = _proposed(session, recall_id)
    recall.state, recall.ended_at = RecallState.WITHDRAWN, now
    session.flush()
    session.execute(delete(RecallItem).where(RecallItem.recall_id == recall_id))


def find_recall(session: Session, recall_id: str) -> RecallRow | None:
    """One recall; None: unknown."""
    recall = session.get(Recall, recall_id)
    return None if recall is None else _rows(session, [recall])[0]


def list_recalls(session: Session, *, limit: int = 50, after: Key | None = None) -> list[RecallRow]:
    """Recalls, those proposed last first."""
    newest = select(Recall).where(*older_than(after, Recall.id, Recall.proposed_at))
    newest = newest.order_by(Recall.proposed_at.desc(), Recall.id.desc()).limit(limit)
    return _rows(session, list(session.scalars(newest)))


def list_recall_jobs(
    session: Session, recall_id: str, *, state: RecallItemState | None = None, limit: int = 50, after: Key | None = None
) -> list[RecallJobRow]:
    """The jobs of a recall, by id, backwards."""
    note = aliased(Job)
    rows = (
        select(RecallItem, Study.study_instance_uid, note.state)
        .join(Job, Job.id == RecallItem.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .outerjoin(note, note.id == RecallItem.note_job_id)
        .where(RecallItem.recall_id == recall_id, *older_than(after, RecallItem.job_id))
        .order_by(RecallItem.job_id.desc())
        .limit(limit)
    )
    if state is not None:
        rows = rows.where(RecallItem.state == state)
    return [
        RecallJobRow(item.job_id, item.state, study, item.note_job_id, note_state)
        for item, study, note_state in session.execute(rows)
    ]


def recalled_at_nodes(session: Session, recall_id: str) -> tuple[AtNode, ...]:
    """Where the results of a recall are, node by node."""
    listed = select(RecallItem.job_id).where(RecallItem.recall_id == recall_id)
    return at_nodes(session, Delivery.job_id.in_(listed))


def _proposed(session: Session, recall_id: str) -> Recall:
    recall = session.scalar(select(Recall).where(Recall.id == recall_id).with_for_update())
    if recall is None:
        raise RecallRefusedError("RECALL_UNKNOWN", "no such recall")
    if recall.state is not RecallState.PROPOSED:
        raise RecallRefusedError(
            "RECALL_NOT_PROPOSED", f"expected recall {recall_id} to be PROPOSED, found {recall.state}"
        )
    return recall


def _same(one: str, other: str) -> bool:
    """Names are compared as people read them: Anna is anna."""
    return one.strip().casefold() == other.strip().casefold()


def _rows(session: Session, found: list[Recall]) -> list[RecallRow]:
    counted = session.execute(
        select(RecallItem.recall_id, RecallItem.state, func.count())
        .where(RecallItem.recall_id.in_([recall.id for recall in found]))
        .group_by(RecallItem.recall_id, RecallItem.state)
    ).all()
    return [
        RecallRow(
            recall_id=recall.id,
            state=recall.state,
            reason=recall.reason,
            words=recall.words,
            criteria=RecallCriteria(
                recall.model_sha256,
                recall.service_version,
                recall.source,
                recall.received_from,
                recall.received_until,
            ),
            proposed_by=recall.proposed_by,
            proposed_at=recall.proposed_at,
            approved_by=recall.approved_by,
            approved_at=recall.approved_at,
            ended_at=recall.ended_at,
            jobs_by_state={state: number for recall_id, state, number in counted if recall_id == recall.id},
        )
        for recall in found
    ]
