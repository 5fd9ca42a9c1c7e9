"""All rows of the registry that a holder could have written to, to be compared."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry.tables import CommitmentRequest, Delivery, Instance, Job, JobEvent, Result

Rows = dict[str, list[tuple[object, ...]]]


def snapshot(sessions: sessionmaker[Session]) -> Rows:
    """Every column of every row, by table."""
    with transaction(sessions, read_only=True) as session:
        return {
            table.__tablename__: [tuple(row) for row in session.execute(select(*table.__table__.c).order_by(table.id))]
            for table in (Instance, Job, Result, Delivery, CommitmentRequest, JobEvent)
        }
