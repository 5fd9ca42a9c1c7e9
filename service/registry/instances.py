"""Records of what was received: one row per instance, and per object that did not become one.

Idempotent by SOP Instance UID: sending the same data set again changes nothing, and another data set under the same UID
never replaces the first (field experience: both happen daily).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.priorities import NO_DEADLINES, Deadlines, Priority
from service.registry import exposures, jobs, kept_files
from service.registry.instance_facts import InstanceFacts as InstanceFacts
from service.registry.instance_facts import Verdict as Verdict
from service.registry.job_states import JobPurpose
from service.registry.tables import Instance, RejectedObject, Series, Study


class Reception(StrEnum):
    """What the registry knew about the SOP Instance UID before."""

    NEW = "NEW"
    SAME = "SAME"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True)
class Recorded:
    """`job_id` and `notice_job_id` are set when this call created such a job; `reason_code` is the final one."""

    reception: Reception
    job_id: str | None
    notice_job_id: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True)
class StoredRow:
    """Where an instance that is already here is kept."""

    sha256: str
    path: str


def record_instance(
    session: Session,
    facts: InstanceFacts,
    verdict: Verdict,
    *,
    path: str,
    sha256: str,
    size_bytes: int,
    now: datetime,
    priority: Priority = Priority.ROUTINE,
    deadlines: Deadlines = NO_DEADLINES,
) -> Recorded:
    """Write study, series and instance rows, and the QUEUED job of what is to be done about the instance, if anything.

    The SOP Instance UID being known already, no row is added: SAME when `sha256` is the known one, else CONFLICT.
    `sha256` must therefore depend on the received data set and its transfer syntax alone, so whoever writes the file
    puts nothing into the file meta information that differs between two transmissions. Safe against any number of
    simultaneous calls for the same UID: exactly one of them is NEW.
    """
    known = find_stored(session, facts.sop_instance_uid)
    if known is None:
        inserted = _insert_instance(session, facts, verdict, StoredRow(sha256, path), size_bytes, now)
        if inserted is not None:
            instance, verdict = inserted
            return _queue(session, facts, verdict, instance.id, now, priority, deadlines)
        known = find_stored(session, facts.sop_instance_uid)
    same = known is not None and known.sha256 == sha256
    if same:
        kept_files.file_returned(session, facts.sop_instance_uid, now=now)
    return Recorded(Reception.SAME if same else Reception.CONFLICT, None)


def _queue(
    session: Session,
    facts: InstanceFacts,
    verdict: Verdict,
    instance_id: int,
    now: datetime,
    priority: Priority,
    deadlines: Deadlines,
) -> Recorded:
    if verdict.reason_code is not None:
        notice_id = None
        if verdict.notice and verdict.reason_code != exposures.FOR_PRESENTATION_PREFERRED:
            notice_id = jobs.enqueue(
                session,
                instance_id,
                now=now,
                purpose=JobPurpose.REFUSAL_NOTICE,
                priority=priority,
                source=facts.calling_ae_title,
            )
        return Recorded(Reception.NEW, None, notice_id, verdict.reason_code)
    exposures.withdraw_siblings(session, facts, now=now)
    waits = facts.sop_class_uid == exposures.FOR_PROCESSING and verdict.sibling_wait_s > 0
    not_before = now + timedelta(seconds=verdict.sibling_wait_s) if waits else None
    job_id = jobs.enqueue(
        session,
        instance_id,
        now=now,
        not_before=not_before,
        priority=priority,
        source=facts.calling_ae_title,
        due_at=deadlines.due_at(priority, now),
    )
    return Recorded(Reception.NEW, job_id)


def record_rejection(
    session: Session,
    *,
    reason_code: str,
    detail: str,
    calling_ae_title: str,
    sop_instance_uid: str | None,
    path: str | None,
    sha256: str | None,
    now: datetime,
) -> None:
    """Record an object that was refused or put into quarantine."""
    session.add(
        RejectedObject(
            received_at=now,
            reason_code=reason_code,
            detail=detail,
            calling_ae_title=calling_ae_title,
            sop_instance_uid=sop_instance_uid,
            path=path,
            sha256=sha256,
        )
    )
    session.flush()


def find_stored(session: Session, sop_instance_uid: str) -> StoredRow | None:
    """The instance with this UID, if it was received before."""
    row = session.execute(
        select(Instance.sha256, Instance.path).where(Instance.sop_instance_uid == sop_instance_uid)
    ).one_or_none()
    return None if row is None else StoredRow(row.sha256, row.path)


def _insert_instance(
    session: Session,
    facts: InstanceFacts,
    verdict: Verdict,
    stored: StoredRow,
    size_bytes: int,
    now: datetime,
) -> tuple[Instance, Verdict] | None:
    """The row and the final verdict; None: another transaction was faster with this SOP Instance UID."""
    try:
        # The study's time is part of the savepoint: a duplicate leaves no trace.
        with session.begin_nested():
            study_id = _study_id(session, facts, now)
            # The study's row is ours now: of two siblings that come at once, the second one sees the first.
            verdict = _without_sibling(session, facts, verdict)
            instance = Instance(
                series_id=_series_id(session, study_id, facts),
                sop_instance_uid=facts.sop_instance_uid,
                sop_class_uid=facts.sop_class_uid,
                transfer_syntax_uid=facts.transfer_syntax_uid,
                path=stored.path,
                sha256=stored.sha256,
                size_bytes=size_bytes,
                calling_ae_title=facts.calling_ae_title,
                body_part=facts.body_part,
                irradiation_event_uid=facts.irradiation_event_uid,
                made_from_uid=facts.made_from_uid,
                open_questions=",".join(sorted(facts.open_questions)) or None,
                received_at=now,
                eligible=verdict.reason_code is None,
                reason_code=verdict.reason_code,
                reason_detail=verdict.reason_detail,
            )
            session.add(instance)
            session.flush()
            return instance, verdict
    except IntegrityError:
        if find_stored(session, facts.sop_instance_uid) is None:
            raise
        return None


def _without_sibling(session: Session, facts: InstanceFacts, verdict: Verdict) -> Verdict:
    if verdict.reason_code is None and (sibling := exposures.presentation_sibling(session, facts)) is not None:
        return replace(verdict, reason_code=exposures.FOR_PRESENTATION_PREFERRED, reason_detail=sibling)
    return verdict


def _study_id(session: Session, facts: InstanceFacts, now: datetime) -> int:
    def find() -> int | None:
        return session.scalar(select(Study.id).where(Study.study_instance_uid == facts.study_instance_uid))

    study_id = find()
    if study_id is None:
        new = Study(study_instance_uid=facts.study_instance_uid, first_received_at=now, last_received_at=now)
        return _insert_or_find(session, new, lambda: new.id, find)
    newer = update(Study).where(Study.id == study_id, Study.last_received_at <= now).values(last_received_at=now)
    session.execute(newer.execution_options(synchronize_session=False))
    return study_id


def _series_id(session: Session, study_id: int, facts: InstanceFacts) -> int:
    def find() -> int | None:
        return session.scalar(
            select(Series.id).where(
                Series.study_id == study_id, Series.series_instance_uid == facts.series_instance_uid
            )
        )

    series_id = find()
    if series_id is not None:
        return series_id
    new = Series(study_id=study_id, series_instance_uid=facts.series_instance_uid, modality=facts.modality)
    return _insert_or_find(session, new, lambda: new.id, find)


def _insert_or_find(session: Session, new: object, new_id: Callable[[], int], find: Callable[[], int | None]) -> int:
    """Insert `new`, or find the row that a simultaneous transaction inserted under the same unique key."""
    try:
        with session.begin_nested():
            session.add(new)
            session.flush()
            return new_id()
    except IntegrityError:
        found = find()
        if found is None:
            raise
        return found
