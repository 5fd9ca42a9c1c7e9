from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from service import database
from service.database import make_engine, make_session_factory, require_current_schema, transaction, upgrade
from service.errors import ConfigurationError, RegistryUnavailableError
from tests.peers.process import free_port
from tests.service.registry.factories import at_once, queued_job

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'folder' / 'softray.sqlite3'}"


def test_sqlite_syncs_every_commit_to_disk(sqlite_url: str) -> None:
    with make_engine(sqlite_url).connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


@pytest.mark.interop
def test_postgresql_syncs_every_commit_to_disk(postgres_url: str) -> None:
    with make_engine(postgres_url).connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_a_committed_row_is_seen_by_another_process(database_url: str, sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    program = (
        "import sys; from service.database import *; from service.registry.queries import job_detail\n"
        "sessions = make_session_factory(make_engine(sys.argv[1]))\n"
        "with transaction(sessions) as session: print(job_detail(session, sys.argv[2]).summary.state)"
    )
    command = [sys.executable, "-c", program, database_url, job_id]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert seen.stdout.strip() == "QUEUED"


def test_read_then_write_transactions_wait_for_each_other(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)

    def add_one(_: int) -> None:
        with transaction(sessions) as session:
            # SQLite would answer "database is locked" at once to a write that follows an outdated read.
            attempts = session.execute(
                text(
                    "SELECT attempts FROM jobs WHERE id = :id FOR UPDATE"
                    if _is_postgres(session)
                    else "SELECT attempts FROM jobs WHERE id = :id"
                ),
                {"id": job_id},
            ).scalar_one()
            session.execute(text("UPDATE jobs SET attempts = :n WHERE id = :id"), {"n": attempts + 1, "id": job_id})

    at_once(8, add_one)
    with transaction(sessions, read_only=True) as session:
        assert session.execute(text("SELECT attempts FROM jobs")).scalar_one() == 8


def test_a_reader_does_not_wait_for_a_writer(sessions: sessionmaker[Session]) -> None:
    queued_job(sessions)
    with transaction(sessions) as writing:
        writing.execute(text("UPDATE jobs SET attempts = 7"))
        with transaction(sessions, read_only=True) as reading:
            assert reading.execute(text("SELECT attempts FROM jobs")).scalar_one() == 0


def test_an_exception_rolls_everything_back(sessions: sessionmaker[Session]) -> None:
    queued_job(sessions)

    def die_before_the_commit() -> None:
        with transaction(sessions) as session:
            session.execute(text("UPDATE jobs SET attempts = 7"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die_before_the_commit()
    with transaction(sessions, read_only=True) as session:
        assert session.execute(text("SELECT attempts FROM jobs")).scalar_one() == 0


def test_a_database_that_is_locked_too_long_is_unavailable(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(sqlite_url)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    locker = sqlite3.connect(tmp_path / "folder" / "softray.sqlite3", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(RegistryUnavailableError, match="database is locked"),
        transaction(make_session_factory(make_engine(sqlite_url))) as session,
    ):
        session.execute(text("DELETE FROM jobs"))
    locker.close()


def test_threads_of_one_process_write_to_sqlite_in_turn(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(sqlite_url)
    with monkeypatch.context() as impatient:
        impatient.setattr(database, "BUSY_TIMEOUT_S", 0.0)  # so that whoever meets another writer fails at once
        engine = make_engine(sqlite_url)
    sessions = make_session_factory(engine)

    def write(_: int) -> int:
        for _ in range(10):
            with transaction(sessions) as session:
                session.execute(text("UPDATE remote_nodes SET port = port"))
                time.sleep(0.001)
        return 10

    assert sum(at_once(8, write)) == 80


def test_a_transaction_inside_one_that_has_not_begun_to_write_does_not_wait_for_itself(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as outer:
        with transaction(sessions) as inner:
            inner.execute(text("UPDATE remote_nodes SET port = port"))
        outer.execute(text("UPDATE remote_nodes SET port = port"))


def test_a_database_that_is_not_there_is_unavailable() -> None:
    url = f"postgresql://softray@127.0.0.1:{free_port()}/softray"
    with pytest.raises(RegistryUnavailableError):
        ask_for_one(url)
    with pytest.raises(RegistryUnavailableError):
        upgrade(url)


def test_a_sqlite_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "softray.sqlite3").mkdir()
    with pytest.raises(RegistryUnavailableError):
        upgrade(f"sqlite:///{tmp_path / 'softray.sqlite3'}")


@pytest.mark.interop
def test_after_the_server_has_dropped_its_connections_the_next_transaction_works(postgres_url: str) -> None:
    sessions = make_session_factory(make_engine(postgres_url))
    with transaction(sessions) as session:
        session.execute(text("SELECT 1"))
    with make_engine(postgres_url).begin() as other:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    with transaction(sessions) as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.interop
def test_a_connection_that_breaks_in_a_transaction_makes_the_registry_unavailable(postgres_url: str) -> None:
    def lose_the_connection() -> None:
        with transaction(make_session_factory(make_engine(postgres_url))) as session:
            pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with make_engine(postgres_url).begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            session.execute(text("SELECT 1"))

    with pytest.raises(RegistryUnavailableError):
        lose_the_connection()


@pytest.mark.parametrize("url", ["mysql://softray@host/softray", "not a url", "oracle://host"])
def test_an_unsupported_database_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL_UNSUPPORTED"):
        make_engine(url)


def test_postgres_is_another_word_for_postgresql() -> None:
    assert make_engine("postgres://softray@host/softray").url.drivername == "postgresql+psycopg"


def test_errors_do_not_repeat_the_password() -> None:
    url = f"postgresql://softray:hunter2@127.0.0.1:{free_port()}/softray"
    with pytest.raises(RegistryUnavailableError) as caught:
        ask_for_one(url)
    assert "hunter2" not in str(caught.value)


def test_a_schema_that_is_not_current_is_told_apart(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    with pytest.raises(ConfigurationError, match="softray migrate"):
        require_current_schema(engine)
    upgrade(empty_database_url)
    require_current_schema(engine)


def test_threads_share_one_engine(engine: Engine) -> None:
    answers: list[int] = []

    def ask() -> None:
        with engine.connect() as connection:
            answers.append(connection.execute(text("SELECT 1")).scalar_one())

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 12


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def ask_for_one(url: str) -> None:
    with transaction(make_session_factory(make_engine(url))) as session:
        session.execute(text("SELECT 1"))
