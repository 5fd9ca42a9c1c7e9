from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.audit.spool import BATCH, LEASE_S, Spool
from service.errors import TransientError
from tests.service.audit.factories import NOW, event, write


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Repository:
    """Keeps what arrives; `away`: nothing does."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.away = False

    def send(self, messages: Sequence[bytes]) -> None:
        if self.away:
            raise TransientError("AUDIT_REPOSITORY_UNREACHABLE", "away")
        self.messages += messages


def send(spool: Spool, repository: Repository) -> int:
    return spool.send_batch(repository, lambda one: str(one.seq).encode())


def test_the_cursor_moves_only_with_what_arrived(sessions: sessionmaker[Session]) -> None:
    spool, repository = Spool(sessions, "syslog", "one", Clock()), Repository()
    write(sessions, *(event(number) for number in range(BATCH + 30)))
    assert send(spool, repository) == BATCH
    repository.away = True
    with pytest.raises(TransientError):
        send(spool, repository)
    assert spool.sent_up_to() == BATCH
    repository.away = False
    assert send(spool, repository) == 30
    assert send(spool, repository) == 0
    assert repository.messages == [str(number).encode() for number in range(1, BATCH + 31)]


def test_one_process_sends_and_another_takes_over_when_it_is_gone(sessions: sessionmaker[Session]) -> None:
    clock, repository = Clock(), Repository()
    one, other = Spool(sessions, "syslog", "one", clock), Spool(sessions, "syslog", "other", clock)
    write(sessions, event(1))
    assert send(one, repository) == 1
    write(sessions, event(2))
    assert send(other, repository) == 0
    clock.now += timedelta(seconds=LEASE_S + 1)
    assert send(other, repository) == 1
    assert send(one, repository) == 0
    assert repository.messages == [b"1", b"2"]


def test_one_that_lost_its_lease_while_it_sent_does_not_move_the_cursor(sessions: sessionmaker[Session]) -> None:
    clock, repository = Clock(), Repository()
    slow, other = Spool(sessions, "syslog", "slow", clock), Spool(sessions, "syslog", "other", clock)
    write(sessions, event(1), event(2))

    class Hanging(Repository):
        def send(self, messages: Sequence[bytes]) -> None:
            clock.now += timedelta(seconds=LEASE_S + 1)
            write(sessions, event(3))
            assert send(other, repository) == 3

    send(slow, Hanging())
    assert slow.sent_up_to() == 3
