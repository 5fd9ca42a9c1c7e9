"""Pages of a list: one row more than asked for is read, to know whether there is a next page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Query

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page:
    """What part of a list is wanted, newest first."""

    limit: Annotated[int, Query(ge=1, le=500, description="At most so many items.")] = 50
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="Skip so many items, newest first.")] = 0


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """The rows of a page; `next_offset` is None on the last one."""

    rows: Sequence[Row]
    next_offset: int | None


def read_page(page: Page, read: Callable[[int, int], Sequence[Row]]) -> Rows[Row]:
    """`read(limit, offset)` once."""
    rows = read(page.limit + 1, page.offset)
    more = len(rows) > page.limit
    return Rows(rows[: page.limit], page.offset + page.limit if more else None)
