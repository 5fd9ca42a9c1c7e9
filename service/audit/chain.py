"""`append`: add an event to the chain, inside the transaction of the change it tells of.

Each event's SHA-256 covers its fields as canonical JSON and the hash before it, so that none can be altered, left out
or put in without every later hash being wrong. The one row of `audit_head` is held from the append to the commit:
events have one order, whichever process writes them, and an event that is rolled back leaves no gap. Append last in a
transaction, since others who append wait for its end.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from service.audit.events import AuditEvent
from service.errors import PermanentError
from service.registry import audit_tables as tables

NO_SHA256 = "0" * 64
"""What the first event names as the one before it."""

DETAIL_CHARACTERS = 2000
HEAD_ID = 1


@dataclass(frozen=True)
class ChainedEvent:
    """An event in the chain, field by field as it is kept; `content` is canonical JSON."""

    seq: int
    at: datetime
    kind: str
    outcome: str
    actor_kind: str
    actor: str
    host: str
    subject: str
    study_instance_uid: str | None
    content: str
    previous_sha256: str
    sha256: str

    def hashed(self) -> str:
        """The SHA-256 that these fields should have."""
        return _sha256(
            {
                "seq": self.seq,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "kind": self.kind,
                "outcome": self.outcome,
                "actor_kind": self.actor_kind,
                "actor": self.actor,
                "host": self.host,
                "subject": self.subject,
                "study_instance_uid": self.study_instance_uid,
                "content": self.content,
                "previous_sha256": self.previous_sha256,
            }
        )


def append(session: Session, *events: AuditEvent, now: datetime) -> int:
    """Add `events` in their order; returns the number of the last one. The caller commits."""
    head = session.execute(
        select(tables.AuditHead.seq, tables.AuditHead.sha256).where(tables.AuditHead.id == HEAD_ID).with_for_update()
    ).one_or_none()
    if head is None:
        raise PermanentError("AUDIT_HEAD_MISSING", "expected the head of the audit chain, found no row")
    seq, previous = head.seq, head.sha256
    rows: list[dict[str, object]] = []
    for event in events:
        chained = _chained(event, seq + 1, previous, now)
        rows.append(vars(chained))
        seq, previous = chained.seq, chained.sha256
    if rows:
        session.execute(insert(tables.AuditEvent), rows)
        session.execute(
            update(tables.AuditHead)
            .where(tables.AuditHead.id == HEAD_ID)
            .values(seq=seq, sha256=previous)
            .execution_options(synchronize_session=False)
        )
    return int(seq)


def _chained(event: AuditEvent, seq: int, previous: str, now: datetime) -> ChainedEvent:
    unhashed = ChainedEvent(
        seq=seq,
        at=now,
        kind=event.kind,
        outcome=event.outcome,
        actor_kind=event.actor.kind,
        actor=_kept(event.actor.name, 255),
        host=_kept(event.actor.host, 64),
        subject=_kept(event.subject, 255),
        study_instance_uid=_kept(event.study_instance_uid, 64) if event.study_instance_uid else None,
        content=_content(event),
        previous_sha256=previous,
        sha256="",
    )
    return ChainedEvent(**{**vars(unhashed), "sha256": unhashed.hashed()})


def _content(event: AuditEvent) -> str:
    content: dict[str, object] = {}
    if event.count != 1:
        content["count"] = event.count
    if event.reason_code is not None:
        content["reason_code"] = event.reason_code
    if event.detail:
        content["detail"] = _kept(event.detail, DETAIL_CHARACTERS)
    if event.sop_class_uid:
        content["sop_class_uid"] = _kept(event.sop_class_uid, 64)
    if event.sop_instance_uids:
        content["sop_instance_uids"] = [_kept(uid, 64) for uid in event.sop_instance_uids]
    return _canonical(content)


def _kept(text: str, characters: int) -> str:
    """What both databases hold of `text` unchanged: the hash covers what is read back, not what was asked for."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:characters]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _sha256(fields: dict[str, object]) -> str:
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()
