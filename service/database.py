"""Engine, transactions and schema upgrades of the study registry, on SQLite (embedded default) and PostgreSQL.

A committed transaction is on disk: SQLite runs with WAL and synchronous=FULL, and every transaction that may write
takes the write lock at its start (BEGIN IMMEDIATE), so that processes queue for it instead of failing half-way.
"""

from __future__ import annotations

import importlib.util
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import ConfigurationError, RegistryUnavailableError

BUSY_TIMEOUT_S = 30.0
# SQLite lets one writer in, and the others ask again after a pause that grows to a tenth of a second, in no order. The
# threads of one process write in turn instead, and none of them sleeps while the database is free.
_turns: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
CONNECT_TIMEOUT_S = 5
READ_ONLY = "softray_read_only"
# Any constant will do; it only has to be the same in every process that upgrades this database.
_UPGRADE_LOCK = 0x736F6674726179


def make_engine(url: str) -> Engine:
    """Connect lazily to `url`; creates the folder of a SQLite file, not its tables (see `upgrade`).

    Raises ConfigurationError for a URL that is neither SQLite nor PostgreSQL.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "softray"},
            pool_pre_ping=True,  # a restarted server costs one round trip, not one failed request
            max_overflow=25,
            pool_timeout=10,
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
    _turns[engine] = threading.RLock()
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session], *, read_only: bool = False) -> Iterator[Session]:
    """One transaction: commits at the end, rolls back on an exception.

    `read_only` spares SQLite's write lock; a write inside may then fail. Raises RegistryUnavailableError when the
    database does not answer; the transaction is then not known to be committed.
    """
    try:
        with _turn_to_write(sessions, read_only), sessions.begin() as session:
            if read_only:
                session.connection(execution_options={READ_ONLY: True})
            yield session
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", _reason(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", _reason(error)) from error
        raise


@contextmanager
def _turn_to_write(sessions: sessionmaker[Session], read_only: bool) -> Iterator[None]:
    turn = None if read_only else _turns.get(sessions.kw["bind"])
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=BUSY_TIMEOUT_S):
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", "another thread of this process keeps writing")
    try:
        yield
    finally:
        turn.release()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema at `url` up to `revision`; safe while other processes do the same.

    The whole upgrade is one transaction on both databases, entered under a lock (PostgreSQL: advisory; SQLite: the
    write lock), so that a process that dies in the middle leaves the old schema. Raises RegistryUnavailableError.
    """
    engine = make_engine(url)
    try:
        with schema_change(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            config = migration_config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except OperationalError as error:
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", _reason(error)) from error
    finally:
        engine.dispose()


@contextmanager
def schema_change(engine: Engine) -> Iterator[Connection]:
    """One transaction that may alter tables, committed at the end.

    SQLite alters a table by copying it, and would refuse to drop a table that others point to: there, foreign keys are
    not enforced meanwhile, and all of them are checked before the commit (sqlite.org/lang_altertable.html, section 7).
    """
    with engine.connect() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if on_sqlite:  # has no effect inside a transaction
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            yield connection
            if on_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                raise ConfigurationError("SCHEMA_BROKEN", f"{len(broken)} rows would point to rows that are not there")
        if on_sqlite:
            connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


def require_current_schema(engine: Engine) -> None:
    """Raise ConfigurationError unless the schema is the one this code was written for."""
    expected = ScriptDirectory.from_config(migration_config()).get_current_head()
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", _reason(error)) from error
    if found != expected:
        raise ConfigurationError(
            "SCHEMA_NOT_CURRENT", f"expected schema {expected}, found {found or 'none'}; run `softray migrate`"
        )


def migration_config() -> Config:
    """Alembic's configuration, pointing at the installed `migrations` package (by name: nothing imports it)."""
    spec = importlib.util.find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("MIGRATIONS_MISSING", "the package `migrations` is not installed")
    config = Config()
    config.set_main_option("script_location", next(iter(spec.submodule_search_locations)).replace("%", "%%"))
    return config


def _parsed(url: str) -> URL:
    try:
        # Hosting platforms hand out postgres://, which SQLAlchemy no longer reads.
        parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except ArgumentError:
        raise ConfigurationError("DATABASE_URL_UNSUPPORTED", "the database URL cannot be read") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            "DATABASE_URL_UNSUPPORTED",
            f"expected a database URL of sqlite or postgresql, found {parsed.get_backend_name()}",
        )
    return parsed


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # SQLite answers "locked" at once, without its busy handler, to a second process that switches a new file to WAL.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _reason(error: Exception) -> str:
    # The driver's own words, without the statement and its parameters that SQLAlchemy appends.
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(error).__name__
