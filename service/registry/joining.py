"""Postponed rows join those that wait once their time has come, so that nobody reads through them until then."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from service.registry.tables import Delivery, Job

JOINING_AT_ONCE = 50


def let_due_join(
    session: Session,
    table: type[Job] | type[Delivery],
    *waiting: ColumnElement[bool],
    now: datetime,
    limit: int = JOINING_AT_ONCE,
) -> None:
    """Empty `not_before` of at most `limit` rows whose time has come.

    `waiting` names every column of the table's order of work before `not_before` by equality. With that and the order,
    the index gives the rows as they are wanted; without the order, PostgreSQL reads a table of old statistics whole.
    """
    joining = session.scalars(
        select(table.id)
        .where(*waiting, table.not_before <= now)
        .order_by(table.not_before)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    if joining:
        joined = update(table).where(table.id.in_(joining)).values(not_before=None)
        session.execute(joined.execution_options(synchronize_session=False))
