from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from service.audit.chain import NO_SHA256, append
from service.audit.records import Head, read_head
from service.audit.verify import verify
from service.database import transaction
from tests.service.audit.factories import NOW, chain_of, event, one_of_each_kind, write


def head_of(sessions: sessionmaker[Session]) -> Head | None:
    with transaction(sessions, read_only=True) as session:
        return read_head(session)


def test_events_are_read_back_as_they_were_hashed(sessions: sessionmaker[Session]) -> None:
    written = one_of_each_kind()
    assert write(sessions, *written) == len(written)
    read = chain_of(sessions)
    assert [one.seq for one in read] == list(range(1, len(written) + 1))
    assert read[0].previous_sha256 == NO_SHA256
    assert read[0].at == NOW
    assert all(one.sha256 == one.hashed() for one in read)
    assert verify(read, head_of(sessions)).broken is None


@pytest.mark.parametrize(
    "words", ["a" * 5000, "nul\0nul", "lone \ud800 surrogate", "naïve 漢字 🩻", "'; DROP TABLE users; --"]
)
def test_what_a_peer_made_up_does_not_break_the_chain(sessions: sessionmaker[Session], words: str) -> None:
    write(sessions, event(subject=words, detail=words, study_instance_uid=words, sop_instance_uids=(words,)), event(2))
    assert verify(chain_of(sessions), head_of(sessions)).broken is None


def test_an_event_of_a_change_that_is_rolled_back_leaves_no_gap(sessions: sessionmaker[Session]) -> None:
    write(sessions, event(1))

    def change_that_fails() -> None:
        with transaction(sessions) as session:
            append(session, event(2), now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    write(sessions, event(3))
    assert [one.subject for one in chain_of(sessions)] == ["PACS1", "PACS3"]
    assert verify(chain_of(sessions), head_of(sessions)).broken is None


def test_writers_at_the_same_time_make_one_chain(sessions: sessionmaker[Session]) -> None:
    def write_some(number: int) -> None:
        for count in range(20):
            write(sessions, event(number * 100 + count))

    writers = [threading.Thread(target=write_some, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len({one.subject for one in chain_of(sessions)}) == 120
    assert verify(chain_of(sessions), head_of(sessions)).checked == 120
    assert verify(chain_of(sessions), head_of(sessions)).broken is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET actor = 'somebody else'", "DELETE FROM audit_events", "TRUNCATE audit_events"],
)
def test_the_database_refuses_to_change_an_event(sessions: sessionmaker[Session], statement: str) -> None:
    write(sessions, event(1))
    with sessions() as session, pytest.raises(DBAPIError):
        session.execute(text(statement))
    assert len(chain_of(sessions)) == 1
