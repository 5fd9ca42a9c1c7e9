"""The statements of a release, as `record_release` wrote them down: a file of SQL for each database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "releases"
_SECTION, _STATEMENT = "-- section ", "-- statement"


@dataclass(frozen=True)
class Recorded:
    """One statement with its values; `rows`: how many it changed, None where that was not asked."""

    statement: str
    rows: int | None


def write_release(revision: str, dialect: str, sections: Mapping[str, Sequence[Recorded]]) -> None:
    """Keep `sections` under the schema `revision` that they were written for."""
    lines: list[str] = []
    for name, recorded in sections.items():
        lines.append(f"{_SECTION}{name}")
        for one in recorded:
            lines += [_STATEMENT if one.rows is None else f"{_STATEMENT} changes {one.rows}", one.statement]
    FOLDER.mkdir(exist_ok=True)
    _path(revision, dialect).write_text("\n".join(lines) + "\n")


def read_release(revision: str, dialect: str) -> dict[str, list[Recorded]]:
    """The sections by name."""
    sections: dict[str, list[Recorded]] = {}
    for section in _path(revision, dialect).read_text().split(_SECTION)[1:]:
        name, _, body = section.partition("\n")
        sections[name] = [_recorded(part) for part in body.split(_STATEMENT)[1:]]
    return sections


def execute(connection: Connection, recorded: Sequence[Recorded]) -> None:
    """Run the statements in order, as they are; an UPDATE has to change as many rows as it did then."""
    for one in recorded:
        # Driver's own call: a percent sign or a colon in a value is a value.
        cursor = connection.connection.cursor()
        cursor.execute(one.statement)
        if one.rows is not None:
            assert cursor.rowcount == one.rows, f"expected {one.rows} rows, found {cursor.rowcount}: {one.statement}"
        cursor.close()


def _recorded(part: str) -> Recorded:
    head, _, statement = part.partition("\n")
    changes = head.removeprefix(" changes ").strip()
    return Recorded(statement.strip(), int(changes) if changes else None)


def _path(revision: str, dialect: str) -> Path:
    return FOLDER / f"{revision}-{dialect}.sql"
