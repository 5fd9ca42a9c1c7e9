"""Reading the chain in its order, a few thousand events at a time, so that a trail of any length fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.audit.chain import HEAD_ID, ChainedEvent
from service.registry.audit_tables import AuditEvent, AuditHead

BATCH = 5000


@dataclass(frozen=True)
class Head:
    """The last event of the chain; `seq` 0: there is none."""

    seq: int
    sha256: str


def hold_moment(session: Session) -> None:
    """Let all that `session` reads be of one moment, while others go on writing; the first thing in its transaction.

    Without it PostgreSQL shows every statement what was committed meanwhile, and a head read before the last event
    looks like a forged one. SQLite's transactions are of one moment anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def read_events(session: Session, *, after: int = 0, limit: int | None = None) -> Iterator[ChainedEvent]:
    """The events whose number is above `after`, in order; at most `limit` of them."""
    left = limit
    columns = [getattr(AuditEvent, name) for name in ChainedEvent.__dataclass_fields__]
    while left is None or left > 0:
        wanted = BATCH if left is None else min(BATCH, left)
        query = select(*columns).where(AuditEvent.seq > after).order_by(AuditEvent.seq).limit(wanted)
        rows = session.execute(query).all()
        for row in rows:
            yield ChainedEvent(*row)
        if len(rows) < wanted:
            return
        after = rows[-1].seq
        left = None if left is None else left - len(rows)


def read_head(session: Session) -> Head | None:
    """The head of the chain; None: its row is missing."""
    row = session.execute(select(AuditHead.seq, AuditHead.sha256).where(AuditHead.id == HEAD_ID)).one_or_none()
    return None if row is None else Head(row.seq, row.sha256)
