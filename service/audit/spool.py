"""Sending the trail to the audit record repository: in order, from where it stopped, by one process at a time.

The events are their own spool: a cursor says how far the repository has been told, and moves only after a batch has
arrived. While the repository is away the cursor stands, and nothing is lost but time. A process that dies between the
arrival and the move sends that batch again; `sequenceId` tells the repository so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import CursorResult, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service.audit.chain import ChainedEvent
from service.audit.records import read_events
from service.database import transaction
from service.registry.audit_tables import AuditCursor

BATCH = 100
LEASE_S = 60.0


class Receiver(Protocol):
    """An open connection to the repository."""

    def send(self, messages: Sequence[bytes]) -> None:
        """Raises TransientError when it is not known whether they arrived."""


@dataclass(frozen=True)
class Spool:
    """The cursor of one receiver; `owner` names this process."""

    sessions: sessionmaker[Session]
    receiver: str
    owner: str
    clock: Callable[[], datetime]

    def send_batch(self, receiver: Receiver, encode: Callable[[ChainedEvent], bytes]) -> int:
        """Send the next events, at most BATCH; returns how many, 0 when all are sent or another process sends."""
        claim = self._claim()
        if claim is None:
            return 0
        after, token = claim
        with transaction(self.sessions, read_only=True) as session:
            events = list(read_events(session, after=after, limit=BATCH))
        if events:
            receiver.send([encode(event) for event in events])
            self._move(events[-1].seq, token)
        return len(events)

    def sent_up_to(self) -> int:
        """The number of the last event that was sent; 0: none."""
        with transaction(self.sessions, read_only=True) as session:
            return session.scalar(select(AuditCursor.seq).where(AuditCursor.receiver == self.receiver)) or 0

    def _claim(self) -> tuple[int, int] | None:
        """The cursor and our fencing token, when nobody else holds it."""
        now = self.clock()
        mine = or_(
            AuditCursor.lease_owner.is_(None),
            AuditCursor.lease_owner == self.owner,
            AuditCursor.lease_expires_at < now,
        )
        values = {
            "lease_owner": self.owner,
            "lease_expires_at": now + timedelta(seconds=LEASE_S),
            "fencing_token": AuditCursor.fencing_token + 1,
        }
        with transaction(self.sessions) as session:
            self._ensure_row(session)
            claimed = session.execute(
                update(AuditCursor)
                .where(AuditCursor.receiver == self.receiver, mine)
                .values(values)
                .execution_options(synchronize_session=False)
            )
            assert isinstance(claimed, CursorResult)
            if claimed.rowcount != 1:
                return None
            row = session.execute(
                select(AuditCursor.seq, AuditCursor.fencing_token).where(AuditCursor.receiver == self.receiver)
            ).one()
        return row.seq, row.fencing_token

    def _ensure_row(self, session: Session) -> None:
        if session.scalar(select(AuditCursor.receiver).where(AuditCursor.receiver == self.receiver)) is not None:
            return
        try:
            with session.begin_nested():
                session.execute(insert(AuditCursor).values(receiver=self.receiver, seq=0, fencing_token=0))
        except IntegrityError:
            return  # another process was faster

    def _move(self, seq: int, token: int) -> None:
        with transaction(self.sessions) as session:
            session.execute(
                update(AuditCursor)
                .where(AuditCursor.receiver == self.receiver, AuditCursor.fencing_token == token)
                .values(seq=seq)
                .execution_options(synchronize_session=False)
            )
