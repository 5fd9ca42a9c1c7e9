"""How a database finds what it is asked for: the statements of a piece of code, and the plan of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from tests.service.registry.filled_registry import FILLED_TABLES

_SCAN = re.compile(rf"^SCAN ({'|'.join(FILLED_TABLES)})(_\d+)?\b(?P<rest>.*)")


@dataclass(frozen=True)
class Asked:
    """One statement as it was sent."""

    statement: str
    parameters: object


@dataclass(frozen=True)
class Read:
    """What a plan reads of one table: the whole of it, or its index from end to end; `rows`: how many were read."""

    table: str
    whole_table: bool
    whole_index: bool
    rows: int | None


def statements_of(engine: Engine, act: Callable[[], object]) -> list[Asked]:
    """What `act` asks of the database; plain INSERTs find nothing and are left out."""
    asked: list[Asked] = []

    def remember(_: Connection, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.split(None, 1)[0] in {"SELECT", "UPDATE", "DELETE"}:
            asked.append(Asked(statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", remember)
    return asked


def reads_of(engine: Engine, asked: Asked) -> list[Read]:
    """Every table of `FILLED_TABLES` that the statement reads, and how."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.statement}", asked.parameters)  # type: ignore[arg-type]
            return [read for row in explained if (read := _read_of_sqlite(row.detail)) is not None]
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.statement}"
        plan = connection.exec_driver_sql(explain, asked.parameters).scalar_one()  # type: ignore[arg-type]
        connection.rollback()
    return list(_reads_of_postgres((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))


def sorts_everything(engine: Engine, asked: Asked) -> bool:
    """Whether SQLite reads all that matches before it can tell which rows come first; PostgreSQL counts its rows."""
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.statement}", asked.parameters).all()  # type: ignore[arg-type]
    return "LIMIT" in asked.statement and "USE TEMP B-TREE FOR ORDER BY" in {row.detail for row in explained}


def in_one_transaction(sessions: sessionmaker[Session], act: Callable[[Session], object]) -> Callable[[], None]:
    """`act` in a transaction of its own."""

    def run() -> None:
        with transaction(sessions) as session:
            act(session)

    return run


def _read_of_sqlite(detail: str) -> Read | None:
    """`SCAN` reads all rows, or all of an index that holds what is asked for (covering); `SEARCH` finds its place."""
    found = _SCAN.match(detail)
    if found is None:
        return None
    covering = "USING COVERING INDEX" in found["rest"]
    return Read(found[1], not covering, covering, None)


def _reads_of_postgres(node: dict[str, object]) -> Iterator[Read]:
    for child in node.get("Plans", []):  # type: ignore[attr-defined]
        yield from _reads_of_postgres(child)
    table = node.get("Relation Name")
    if table in FILLED_TABLES:
        loops = int(str(node["Actual Loops"]))
        discarded = sum(
            float(str(node.get(key, 0))) for key in ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        )
        rows = round(loops * (float(str(node["Actual Rows"])) + discarded))
        yield Read(str(table), node["Node Type"] == "Seq Scan", False, rows)
