"""A registry without anybody in it, on SQLite and on PostgreSQL, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.access import users
from service.access.entry import Entry
from service.access.login_limits import LoginLimits
from service.access.roles import Role
from service.access.web_sessions import SessionTerms
from service.database import make_engine, make_session_factory, transaction, upgrade

PASSWORD = "correct horse battery"


@dataclass
class Clock:
    now: datetime = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'softray.sqlite3'}"
    else:
        url = str(request.getfixturevalue("postgres_url"))
    upgrade(url)
    engine = make_engine(url)
    yield make_session_factory(engine)
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entry(sessions: sessionmaker[Session], clock: Clock) -> Entry:
    return Entry(sessions, SessionTerms(idle_s=600, absolute_s=3600), LoginLimits(), clock)


@pytest.fixture
def jane(sessions: sessionmaker[Session], clock: Clock) -> str:
    """A local account that may look at images."""
    with transaction(sessions) as session:
        users.add_user(session, name="jane", role=Role.VIEWER, images=True, password=PASSWORD, now=clock())
    return "jane"
