"""Pages of a list: one row more than asked for is read, to know whether there is a next page.

A page begins after the last row of the one before (keyset), named by a cursor that callers hand back as they got it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query

from service.api.problems import ProblemDetail, ProblemError
from service.registry.keyset import Key

Row = TypeVar("Row")
LONGEST_CURSOR = 300


@dataclass(frozen=True)
class Page:
    """What part of a list is wanted, newest first."""

    limit: Annotated[int, Query(ge=1, le=500, description="At most so many items.")] = 50
    cursor: Annotated[
        str, Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before; empty: the first page.")
    ] = ""


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """The rows of a page; `next_cursor` is None on the last one."""

    rows: Sequence[Row]
    next_cursor: str | None


def read_page(page: Page, read: Callable[[int, Key | None], Sequence[Row]], key_of: Callable[[Row], Key]) -> Rows[Row]:
    """`read(limit, after)` once. Raises ProblemError 422 for a cursor that is not of a list with such keys."""
    after = _decoded(page.cursor) if page.cursor else None
    rows = read(page.limit + 1, after)
    if len(rows) <= page.limit:
        return Rows(rows, None)
    return Rows(rows[: page.limit], _encoded(key_of(rows[page.limit - 1])))


def require_key(after: Key | None, *, kind: type[str] | type[int], timed: bool) -> Key | None:
    """`after`, if it is a key of such a list. Raises ProblemError 422 for the cursor of another list."""
    if after is not None and (not isinstance(after.id, kind) or (after.at is not None) is not timed):
        raise _not_a_cursor()
    return after


def _encoded(key: Key) -> str:
    text = json.dumps([key.id, key.at.isoformat() if key.at else None], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> Key:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str() | int() as row_id, None] if _storable(row_id):
                return Key(row_id)
            case [str() | int() as row_id, str(at)] if _storable(row_id):
                moment = datetime.fromisoformat(at)
                if moment.utcoffset() is not None:
                    return Key(row_id, moment)
    except (ValueError, OverflowError, binascii.Error, RecursionError):
        pass
    raise _not_a_cursor()


def _storable(row_id: str | int) -> bool:
    """What a database takes as a value to compare with: a booked number, or a text without the character it has not."""
    if isinstance(row_id, str):
        return "\0" not in row_id and row_id.isprintable()
    return not isinstance(row_id, bool) and 0 <= row_id < 1 << 63


def _not_a_cursor() -> ProblemError:
    detail = ProblemDetail(subject="query.cursor", message="expected next_cursor of an earlier page of this list")
    return ProblemError(422, "INVALID_REQUEST", "a parameter is not valid", [detail])
