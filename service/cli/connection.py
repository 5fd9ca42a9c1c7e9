"""The database as a command finds it: up to date, and in one transaction for a command that ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session, sessionmaker

from service.cli.launch import settings
from service.database import make_engine, make_session_factory, transaction, upgrade
from service.settings import Settings


def bring_up_to_date(configured: Settings) -> None:
    """Make the data folder, and the tables what this version needs; safe to repeat."""
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(configured.effective_database_url)


@contextmanager
def session() -> Iterator[Session]:
    """One transaction on the configured database, its tables brought up to date first; committed at the end."""
    with sessions() as factory, transaction(factory) as opened:
        yield opened


@contextmanager
def sessions() -> Iterator[sessionmaker[Session]]:
    """Sessions of the configured database, its tables brought up to date first."""
    configured = settings()
    bring_up_to_date(configured)
    engine = make_engine(configured.effective_database_url)
    try:
        yield make_session_factory(engine)
    finally:
        engine.dispose()
