"""Where a page of a list begins: after a row's sort key, so that page 10,000 costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.orm import InstrumentedAttribute


@dataclass(frozen=True)
class Key:
    """The sort key of the last row of a page. `at` None: the list goes by `id` alone."""

    id: str | int
    at: datetime | None = None


def older_than(
    after: Key | None,
    id_column: InstrumentedAttribute[int] | InstrumentedAttribute[str],
    at_column: InstrumentedAttribute[datetime] | None = None,
) -> tuple[ColumnElement[bool], ...]:
    """The rows that follow `after` in a list that is newest first, by time and then by id; all, without one."""
    if after is None:
        return ()
    if at_column is None:
        return (id_column < after.id,)
    return (tuple_(at_column, id_column) < tuple_(after.at, after.id),)
