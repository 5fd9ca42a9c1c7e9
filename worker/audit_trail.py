"""Keeping the audit trail: notes become events, events go to the audit record repository, the head goes to the log.

One thread of the network worker; with several workers the registry decides who does it. Whatever fails is tried again:
the rows stand where they are.
"""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.audit.dicom_message import AuditSource
from service.audit.notes import seal_notes
from service.audit.records import read_head
from service.audit.spool import Spool
from service.audit.syslog import Repository, SyslogConnection, repository_address, to_syslog
from service.database import transaction
from service.errors import SoftrayError
from service.logs import log_event
from service.settings import Settings
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

RECEIVER = "syslog"
CHECKPOINT_EVERY = timedelta(hours=1)


@dataclass
class AuditTrail:
    """What one round does; `repository` None: nobody is told."""

    context: WorkerContext
    source: AuditSource
    repository: Repository | None
    _connection: SyslogConnection | None = field(default=None, init=False)
    _reachable: bool = field(default=True, init=False)
    _checkpoint_at: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    def round(self) -> None:
        """Seal, send, and log the head once an hour. Raises what the registry raises."""
        now = self.context.clock()
        with transaction(self.context.sessions) as session:
            seal_notes(session, now=now)
        if self.repository is not None:
            self._send(self.repository)
        if now - self._checkpoint_at >= CHECKPOINT_EVERY:
            self._checkpoint_at = now
            with transaction(self.context.sessions, read_only=True) as session:
                head = read_head(session)
            if head is not None:
                log_event(logger, "audit_checkpoint", seq=head.seq, sha256=head.sha256)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, repository: Repository) -> None:
        spool = Spool(self.context.sessions, RECEIVER, self.context.owner, self.context.clock)
        try:
            if self._connection is None:
                self._connection = SyslogConnection(repository)
            while spool.send_batch(self._connection, lambda event: to_syslog(event, self.source)):
                pass
        except SoftrayError as error:
            if self._reachable:
                log_event(logger, "audit_not_sent", level=logging.ERROR, code=error.code, reason=error.message)
            self._reachable = False
            self.close()
        else:
            if not self._reachable:
                log_event(logger, "audit_sent_again", seq=spool.sent_up_to())
            self._reachable = True


def audit_trail(settings: Settings, context: WorkerContext) -> AuditTrail:
    """As the settings want it. Raises ConfigurationError when the repository's address cannot be read."""
    repository = None
    if settings.audit_repository:
        host, port = repository_address(settings.audit_repository)
        repository = Repository(
            host, port, settings.audit_ca_file, settings.audit_certificate_file, settings.audit_key_file
        )
    name = settings.audit_source_id or f"{settings.ae_title}@{socket.gethostname()}"
    return AuditTrail(context, AuditSource(name, settings.ae_title), repository)


def start_audit_trail(trail: AuditTrail, interval_s: float) -> threading.Event:
    """A round every `interval_s` seconds on a daemon thread; set the event to stop it."""
    stop = threading.Event()

    def keep_going() -> None:
        while not stop.wait(interval_s):
            try:
                trail.round()
            except Exception as error:  # the database may be away for a while; the rows stand where they are
                log_event(logger, "audit_round_failed", level=logging.WARNING, error=type(error).__name__)
        trail.close()

    threading.Thread(target=keep_going, name="audit-trail", daemon=True).start()
    return stop
