"""The audit of requests: every look at patients' data, and everything that is asked to change.

Both are recorded before the route runs: what cannot be recorded does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.api.route_rules import Rule
from service.audit.chain import append
from service.audit.events import Actor, AuditEvent, AuditKind, AuditNote
from service.audit.notes import note
from service.database import transaction
from service.registry.reader_tables import CaseReading, ReaderStudyCase
from service.registry.tables import Instance, Job, Series, Study


def record_look(sessions: sessionmaker[Session], actor: Actor, rule: Rule, parameters: Mapping[str, str]) -> None:
    """Note that `actor` looks at an image; nothing is noted about one that does not exist, which shows nothing."""
    query = (
        select(Study.study_instance_uid, Instance.sop_class_uid, Instance.sop_instance_uid)
        .join(Series, Series.study_id == Study.id)
        .join(Instance, Instance.series_id == Series.id)
    )
    if "job_id" in parameters:
        query = query.join(Job, Job.instance_id == Instance.id).where(Job.id == parameters["job_id"])
    elif "reading_id" in parameters:
        shown_case = select(ReaderStudyCase.job_id).join(
            CaseReading, CaseReading.reader_study_case_id == ReaderStudyCase.id
        )
        number = parameters["reading_id"]
        this_reading = CaseReading.id == (int(number) if number.isdecimal() and len(number) <= 15 else 0)
        query = query.join(Job, Job.instance_id == Instance.id).where(Job.id.in_(shown_case.where(this_reading)))
    elif "sop_instance_uid" in parameters:
        query = query.where(Instance.sop_instance_uid == parameters["sop_instance_uid"])
    elif "study_instance_uid" in parameters:
        query = query.where(Study.study_instance_uid == parameters["study_instance_uid"])
    with transaction(sessions, read_only=True) as session:
        shown = session.execute(query).all() if parameters else []
    if not shown:
        return
    now = datetime.now(UTC)
    with transaction(sessions) as session:
        for study, sop_class, sop_instance in shown:
            looked_at = AuditNote(AuditKind.INSTANCES_ACCESSED, actor, rule.path, study, sop_class, sop_instance)
            note(session, looked_at, now=now)


def record_action(sessions: sessionmaker[Session], actor: Actor, rule: Rule, path: str) -> None:
    """Record that `actor` asks for a change; what came of it stands in the history of what is changed."""
    asked = AuditEvent(AuditKind.ACTION, actor, subject=f"{rule.method} {rule.path}", detail=path[:500])
    with transaction(sessions) as session:
        append(session, asked, now=datetime.now(UTC))
