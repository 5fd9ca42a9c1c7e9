"""Events of every kind, and a chain of them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session, sessionmaker

from service.audit.chain import ChainedEvent, append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from service.audit.records import read_events
from service.database import transaction

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
ADMIN = Actor(ActorKind.USER, "admin", "10.0.0.7")


def event(number: int = 1, **overrides: object) -> AuditEvent:
    fields = {"kind": AuditKind.NODE_ADDED, "actor": ADMIN, "subject": f"PACS{number}"} | overrides
    return AuditEvent(**fields)  # type: ignore[arg-type]


def one_of_each_kind() -> list[AuditEvent]:
    made = [event(kind=kind, reason_code="WHY", detail="so <that> & \x07 é") for kind in AuditKind]
    xray = Actor(ActorKind.REMOTE_NODE, "XRAY1", "10.0.0.9")
    for kind in (AuditKind.INSTANCES_RECEIVED, AuditKind.INSTANCES_SENT, AuditKind.INSTANCES_ACCESSED):
        made.append(
            event(
                kind=kind,
                actor=xray,
                study_instance_uid="1.2.3",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
                sop_instance_uids=("1.2.3.4", "1.2.3.5"),
                count=2,
            )
        )
    made.append(event(kind=AuditKind.SECURITY_ALERT, actor=xray, outcome=Outcome.FAILURE, count=7))
    made.append(event(kind=AuditKind.LOGIN, actor=Actor(ActorKind.ANONYMOUS, "", "10.0.0.1"), outcome=Outcome.FAILURE))
    return made


def write(sessions: sessionmaker[Session], *events: AuditEvent) -> int:
    with transaction(sessions) as session:
        return append(session, *events, now=NOW)


def chain_of(sessions: sessionmaker[Session]) -> list[ChainedEvent]:
    with transaction(sessions, read_only=True) as session:
        return list(read_events(session))
