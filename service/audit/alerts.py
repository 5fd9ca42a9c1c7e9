"""Security alerts: the first of a kind is recorded at once, those that repeat it within a minute as a number.

Whoever knocks a thousand times a second must not fill the trail. How often something was repeated is told with the next
alert of any kind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from service.audit.chain import append
from service.audit.events import AuditEvent
from service.database import transaction

REPEATED_WITHIN = timedelta(seconds=60)
KINDS_AT_A_TIME = 1000


@dataclass
class _Open:
    event: AuditEvent
    since: datetime
    unsaid: int = 0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Alerts:
    """The alerts of one process; safe to share between threads."""

    sessions: sessionmaker[Session]
    clock: Callable[[], datetime] = field(default=_now)
    _open: dict[AuditEvent, _Open] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, event: AuditEvent) -> None:
        """Record `event`, or count it. Raises RegistryUnavailableError."""
        due = self._due(event)
        if due:
            with transaction(self.sessions) as session:
                append(session, *due, now=self.clock())

    def flush(self) -> None:
        """Record what was counted and not told yet. Raises RegistryUnavailableError."""
        with self._lock:
            due = [replace(one.event, count=one.unsaid) for one in self._open.values() if one.unsaid]
            self._open.clear()
        if due:
            with transaction(self.sessions) as session:
                append(session, *due, now=self.clock())

    def _due(self, event: AuditEvent) -> list[AuditEvent]:
        now = self.clock()
        with self._lock:
            over = [one for one in self._open.values() if now - one.since >= REPEATED_WITHIN]
            for one in over:
                del self._open[one.event]
            due = [replace(one.event, count=one.unsaid) for one in over if one.unsaid]
            known = self._open.get(event)
            if known is not None:
                known.unsaid += 1
            elif len(self._open) < KINDS_AT_A_TIME:
                self._open[event] = _Open(event, now)
                due.append(event)
            return due
