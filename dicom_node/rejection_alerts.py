"""Callers that were rejected, for the audit trail: an association attempt of a stranger is a security alert.

It is written by a thread of its own, since the association's thread has a peer waiting, and the registry may be away.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.audit.alerts import Alerts
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from service.errors import SoftrayError
from service.logs import log_event

logger = logging.getLogger(__name__)

WAITING_AT_MOST = 1000


class RejectionAlerts:
    """Alerts of one node; each says once a minute who was rejected from where, and why."""

    def __init__(self, sessions: sessionmaker[Session], ae_title: str) -> None:
        self._alerts = Alerts(sessions)
        self._ae_title = ae_title
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alerts")
        self._room = threading.BoundedSemaphore(WAITING_AT_MOST)

    def rejected(self, calling_ae_title: str, host: str, reason_code: str) -> None:
        """Note a rejection; returns at once and never raises. Every one is in the log besides."""
        if not self._room.acquire(blocking=False):
            return
        who = Actor(ActorKind.REMOTE_NODE, calling_ae_title, host)
        event = AuditEvent(
            AuditKind.SECURITY_ALERT, who, Outcome.FAILURE, subject=self._ae_title, reason_code=reason_code
        )
        self._writer.submit(self._write, event)

    def stop(self) -> None:
        """Write what waits."""
        self._writer.submit(self._flush)
        self._writer.shutdown(wait=True)

    def _write(self, event: AuditEvent) -> None:
        try:
            self._alerts.report(event)
        except (SoftrayError, SQLAlchemyError) as error:
            log_event(logger, "alert_not_recorded", level=logging.ERROR, error=type(error).__name__)
        finally:
            self._room.release()

    def _flush(self) -> None:
        try:
            self._alerts.flush()
        except (SoftrayError, SQLAlchemyError) as error:
            log_event(logger, "alert_not_recorded", level=logging.ERROR, error=type(error).__name__)
