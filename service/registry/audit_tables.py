"""The audit trail's tables: the chained events, the head of their chain, what waits to be told, and what was sent.

Rows of `audit_events` are never changed or deleted; a trigger in the database refuses both (migration 0008).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, ROW_ID, SHA256, UID, ForeignText, UtcDateTime
from service.registry.tables import Table

ACTOR = ForeignText(255)
HOST = ForeignText(64)


class AuditEvent(Table):
    """One event; `sha256` covers every other column, `previous_sha256` that of the event before.

    `seq` counts from 1 without a gap. `content` is canonical JSON of what only some events have.
    """

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "at"), Index(None, "study_instance_uid", "seq"))

    seq: Mapped[int] = mapped_column(ROW_ID, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    kind: Mapped[str] = mapped_column(CODE)
    outcome: Mapped[str] = mapped_column(CODE)
    actor_kind: Mapped[str] = mapped_column(CODE)
    actor: Mapped[str] = mapped_column(ACTOR)
    host: Mapped[str] = mapped_column(HOST)
    subject: Mapped[str] = mapped_column(ACTOR)
    study_instance_uid: Mapped[str | None] = mapped_column(UID)
    content: Mapped[str] = mapped_column(Text)
    previous_sha256: Mapped[str] = mapped_column(SHA256)
    sha256: Mapped[str] = mapped_column(SHA256)


class AuditHead(Table):
    """The last event of the chain, in one row: whoever appends holds it, so that the chain has no fork."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(SHA256)


class AuditNote(Table):
    """One instance received, sent or looked at, written with the change it tells of; soon part of an event."""

    __tablename__ = "audit_notes"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    kind: Mapped[str] = mapped_column(CODE)
    outcome: Mapped[str] = mapped_column(CODE)
    actor_kind: Mapped[str] = mapped_column(CODE)
    actor: Mapped[str] = mapped_column(ACTOR)
    host: Mapped[str] = mapped_column(HOST)
    subject: Mapped[str] = mapped_column(ACTOR)
    study_instance_uid: Mapped[str | None] = mapped_column(UID)
    sop_class_uid: Mapped[str | None] = mapped_column(UID)
    sop_instance_uid: Mapped[str | None] = mapped_column(UID)
    reason_code: Mapped[str | None] = mapped_column(CODE)


class AuditCursor(Table):
    """How far a receiver has been told: everything up to `seq`. One process at a time holds the lease and sends."""

    __tablename__ = "audit_cursors"

    receiver: Mapped[str] = mapped_column(CODE, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    lease_owner: Mapped[str | None] = mapped_column(ACTOR)
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    fencing_token: Mapped[int]
