from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.audit.records import read_events, read_head
from service.audit.verify import verify
from service.database import make_engine, make_session_factory, transaction, upgrade
from tests.service.audit.factories import chain_of, event, write


def test_a_writer_killed_in_the_middle_leaves_a_whole_chain_with_all_it_committed(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.service.audit.writer", database_url], stdout=subprocess.PIPE, text=True
        )
        try:
            assert writer.stdout is not None
            for _ in range(40):
                said = writer.stdout.readline()
        finally:
            writer.kill()
            writer.wait()
        events = chain_of(sessions)
        assert len(events) >= int(said) > 0
        assert len(events) % 5 == 0  # a transaction is there as a whole or not at all
        with transaction(sessions, read_only=True) as session:
            found = verify(events, read_head(session))
        assert (found.broken, found.checked) == (None, len(events))
    # Whoever comes next goes on where the chain ends.
    write(sessions, event(1))
    with transaction(sessions, read_only=True) as session:
        assert verify(read_events(session), read_head(session)).broken is None


@pytest.mark.slow
def test_a_weeks_events_are_verified_within_a_minute(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'week.sqlite3'}"
    upgrade(url)
    engine = make_engine(url)
    week = make_session_factory(engine)
    for start in range(0, 200_000, 4000):
        write(week, *(event(number, study_instance_uid="1.2.3") for number in range(start, start + 4000)))
    started = time.monotonic()
    with transaction(week, read_only=True) as session:
        found = verify(read_events(session), read_head(session))
    taken_s = time.monotonic() - started
    engine.dispose()
    print(f"200,000 events verified in {taken_s:.1f} s")
    assert (found.broken, found.checked) == (None, 200_000)
    assert taken_s < 60
