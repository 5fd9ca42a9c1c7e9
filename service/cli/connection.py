"""A database session for a command that ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from service.cli.launch import settings
from service.database import make_engine, make_session_factory, transaction, upgrade


@contextmanager
def session() -> Iterator[Session]:
    """One transaction on the configured database, its tables brought up to date first; committed at the end."""
    configured = settings()
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(configured.effective_database_url)
    engine = make_engine(configured.effective_database_url)
    try:
        with transaction(make_session_factory(engine)) as opened:
            yield opened
    finally:
        engine.dispose()
