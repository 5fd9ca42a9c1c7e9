"""What PostgreSQL did for the images: its own counters, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class DatabaseWork:
    """Counters since the database was made. `active_ms`: time spent in statements. `rows_scanned`: rows that sequential
    scans read, by table; `bytes_of`: size of each table with its indexes."""

    images: int
    active_ms: float
    transactions: int
    rows_scanned: Mapping[str, int]
    bytes_of: Mapping[str, int]


def database_work(url: str, images: int) -> DatabaseWork:
    """The counters of the PostgreSQL database at `url`, `images` being through by now."""
    with psycopg.connect(url, autocommit=True) as connection:
        work = connection.execute(
            "SELECT active_time, xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        tables = connection.execute(
            "SELECT relname, seq_tup_read, pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY relname"
        ).fetchall()
    assert work is not None
    return DatabaseWork(
        images,
        float(work[0]),
        int(work[1]),
        {name: int(rows) for name, rows, _ in tables},
        {name: int(size) for name, _, size in tables},
    )


def per_image(earlier: DatabaseWork, later: DatabaseWork) -> tuple[float, float]:
    """(milliseconds in the database, transactions) per image between two looks."""
    images = max(1, later.images - earlier.images)
    return (later.active_ms - earlier.active_ms) / images, (later.transactions - earlier.transactions) / images
