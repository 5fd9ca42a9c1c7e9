"""A private PostgreSQL server: `postgres_url` names a fresh, empty database for each test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.peers.process import free_port, running


def postgres_programs() -> Path | None:
    """The newest folder that holds initdb and postgres; Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max((f for f in folders if (f / "initdb").exists()), key=lambda f: float(f.parent.name), default=None)


@contextlib.contextmanager
def running_postgres(programs: Path, port: int | None = None, *, durable: bool = False) -> Iterator[str]:
    """The URL (without a database) of a server in a folder of its own.

    PostgreSQL refuses to run as root, so root's tests run it as `postgres` or `nobody`, in a folder which that user can
    reach. fsync is off unless `durable`: tests kill processes, not the machine.
    """
    user = unprivileged_user() if os.geteuid() == 0 else None
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="softray-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        command = prepared(programs, folder, port, user, durable=durable)
        url = f"postgresql://softray@127.0.0.1:{port}"
        # SIGINT is PostgreSQL's fast shutdown, which does not wait for clients.
        with running(command, folder / "log", lambda: answers(url), stop_signal=signal.SIGINT, user=user):
            yield url


def prepared(programs: Path, folder: Path, port: int, user: str | None, *, durable: bool = False) -> list[str]:
    """Make an empty cluster in `folder`; the command that serves it on `port`, to be run as `user`."""
    data = folder / "data"
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "softray",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=user, env={**os.environ, "LC_ALL": "C"})
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}
    settings["fsync"] = "on" if durable else "off"
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return [str(programs / "postgres"), "-D", str(data), *options]


@contextlib.contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of an empty database that is dropped at the end."""
    name = f"softray_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield f"{server_url}/{name}"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL (initdb) is not installed")
    if os.geteuid() == 0 and unprivileged_user() is None:
        pytest.skip("PostgreSQL does not run as root, and there is no other user to run it as")
    with running_postgres(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


def unprivileged_user() -> str | None:
    """Whom root runs PostgreSQL as; None: there is nobody."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def answers(url: str) -> bool:
    """Whether it is up."""
    try:
        psycopg.connect(f"{url}/postgres", connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
