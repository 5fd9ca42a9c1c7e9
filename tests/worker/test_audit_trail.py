from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from service.audit.records import read_events
from service.audit.syslog import Repository
from service.database import transaction
from service.errors import TransientError
from service.settings import Settings
from tests.peers.process import free_port
from tests.service.audit.factories import event, write
from worker.audit_trail import audit_trail
from worker.context import WorkerContext


class Connection:
    """A repository that can be away."""

    messages: ClassVar[list[bytes]] = []
    away: ClassVar[bool] = False

    def __init__(self, _: Repository) -> None:
        if Connection.away:
            raise TransientError("AUDIT_REPOSITORY_UNREACHABLE", "away")

    def send(self, messages: Sequence[bytes]) -> None:
        if Connection.away:
            raise TransientError("AUDIT_REPOSITORY_UNREACHABLE", "away")
        Connection.messages = [*Connection.messages, *messages]

    def close(self) -> None:
        return


def test_a_rounds_failure_to_send_is_said_once_and_what_waited_is_sent(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr("worker.audit_trail.SyslogConnection", Connection)
    Connection.messages, Connection.away = [], True
    settings = Settings(data_dir=tmp_path, audit_repository=f"127.0.0.1:{free_port()}", audit_source_id="here")
    trail = audit_trail(settings, context)
    write(context.sessions, event(1), event(2))
    with caplog.at_level(logging.INFO, logger="worker.audit_trail"):
        for _ in range(3):
            trail.round()
        Connection.away = False
        trail.round()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["audit_not_sent", "audit_checkpoint", "audit_sent_again"]
    assert [b"PACS1" in Connection.messages[0], b"PACS2" in Connection.messages[1]] == [True, True]
    assert len(Connection.messages) == 2
    with transaction(context.sessions, read_only=True) as session:
        assert len(list(read_events(session))) == 2
