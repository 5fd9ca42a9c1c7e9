"""How long each SQL statement of an operation takes, and how the database would run it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass
class StatementTimes:
    """Statements by their text: seconds of each run, and the parameters of the last one."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    parameters: dict[str, Any] = field(default_factory=dict)
    _started: float = 0.0

    @contextmanager
    def watching(self, engine: Engine) -> Iterator[None]:
        """Times every statement of `engine` until the block ends."""

        def before(*_: object) -> None:
            self._started = time.perf_counter()

        def after(
            connection: Connection, cursor: object, statement: str, parameters: Any, context: object, many: bool
        ) -> None:
            del connection, cursor, context, many
            self.seconds[statement].append(time.perf_counter() - self._started)
            self.parameters[statement] = parameters

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", before)
            event.remove(engine, "after_cursor_execute", after)


def plan_of(engine: Engine, statement: str, parameters: Any) -> list[str]:
    """The lines of EXPLAIN for a SELECT, UPDATE or INSERT as it was run."""
    explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
        connection.rollback()
    return [str(row[-1]) for row in rows]
