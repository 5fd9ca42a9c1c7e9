"""Instances received, sent and looked at: noted one by one with the change, told study by study.

A note is one small row in the transaction that it belongs to, without waiting for the chain: C-STORE stays as fast as
it was. `seal_notes` later turns the notes of one actor and one study into one event (PS3.15 A.5.3.7: one message a
study) and takes them away in the same transaction, so that a crash neither loses nor repeats any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from service.audit.chain import append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, AuditNote, Outcome
from service.registry import audit_tables as tables

SETTLED_AFTER_S = 30.0
"""A group is told when its last note is this old: the association, or the look at the study, is over by then."""

TOLD_AFTER_S = 300.0
"""However long it goes on, it is told when its first note is this old."""

INSTANCES_OF_ONE_EVENT = 200
NOTES_OF_ONE_TRANSACTION = 2000
T = TypeVar("T")


def note(session: Session, noted: AuditNote, *, now: datetime) -> None:
    """Record one note; the caller commits."""
    session.execute(
        insert(tables.AuditNote).values(
            at=now,
            kind=noted.kind,
            outcome=noted.outcome,
            actor_kind=noted.actor.kind,
            actor=noted.actor.name,
            host=noted.actor.host,
            subject=noted.subject,
            study_instance_uid=noted.study_instance_uid,
            sop_class_uid=noted.sop_class_uid,
            sop_instance_uid=noted.sop_instance_uid,
            reason_code=noted.reason_code,
        )
    )


def seal_notes(session: Session, *, now: datetime, settled_after_s: float = SETTLED_AFTER_S) -> int:
    """Turn settled notes into events of the chain; returns how many notes. The caller commits.

    Two processes may do so at the same time: on PostgreSQL each takes the notes that the other has not locked.
    """
    oldest_first = select(tables.AuditNote).order_by(tables.AuditNote.id).limit(NOTES_OF_ONE_TRANSACTION)
    rows = session.scalars(oldest_first.with_for_update(skip_locked=True)).all()
    told: list[int] = []
    events: list[AuditEvent] = []
    for _, members in groupby(sorted(rows, key=_group), key=_group):
        group = list(members)
        first, last = min(row.at for row in group), max(row.at for row in group)
        settled = now - last >= timedelta(seconds=settled_after_s)
        if settled or now - first >= timedelta(seconds=TOLD_AFTER_S):
            told += [row.id for row in group]
            events += _events(group)
    if events:
        append(session, *events, now=now)
        for ids in _in_parts(told, 500):
            gone = delete(tables.AuditNote).where(tables.AuditNote.id.in_(ids))
            session.execute(gone.execution_options(synchronize_session=False))
    return len(told)


def _group(row: tables.AuditNote) -> tuple[str, ...]:
    return (
        row.kind,
        row.actor_kind,
        row.actor,
        row.host,
        row.subject,
        row.study_instance_uid or "",
        row.sop_class_uid or "",
        row.outcome,
        row.reason_code or "",
    )


def _events(group: list[tables.AuditNote]) -> Iterator[AuditEvent]:
    first = group[0]
    # One that was sent or looked at twice is counted twice and named once.
    for part in _in_parts(group, INSTANCES_OF_ONE_EVENT):
        yield AuditEvent(
            kind=AuditKind(first.kind),
            actor=Actor(ActorKind(first.actor_kind), first.actor, first.host),
            outcome=Outcome(first.outcome),
            subject=first.subject,
            study_instance_uid=first.study_instance_uid,
            sop_class_uid=first.sop_class_uid,
            sop_instance_uids=tuple(dict.fromkeys(row.sop_instance_uid for row in part if row.sop_instance_uid)),
            count=len(part),
            reason_code=first.reason_code,
        )


def _in_parts(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))
