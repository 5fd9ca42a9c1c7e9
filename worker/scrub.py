"""Reading every kept file again, slowly, to find those that have changed on the disk while nobody read them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from service.database import transaction
from service.registry import kept_files
from service.registry.kept_files import Table
from service.store_upkeep import fault_of
from worker.context import WorkerContext
from worker.reconcile import report_fault

ROWS_AT_ONCE = 20


class Pace:
    """Lets `bytes_per_s` be read, by waiting as long as the last piece was too early."""

    def __init__(self, bytes_per_s: float, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_s = bytes_per_s
        self._stop = stop
        self._clock = clock
        self._started = clock()
        self._read = 0

    def __call__(self, count: int) -> None:
        """So many bytes have been read."""
        self._read += count
        ahead_s = self._read / self._bytes_per_s - (self._clock() - self._started)
        if ahead_s > 0:
            self._stop.wait(ahead_s)

    def is_over(self, most_s: float) -> bool:
        """Whether so much time has gone by, or it is time to stop."""
        return self._stop.is_set() or self._clock() - self._started > most_s


def scrub(table: Table, position: str, context: WorkerContext, pace: Pace, most_s: float) -> str | None:
    """Read files from `position` for `most_s` seconds; where to go on, None: from the start. Raises TransientError."""
    after = int(position or 0)
    while True:
        with transaction(context.sessions, read_only=True) as session:
            rows = kept_files.next_kept(session, table, after, ROWS_AT_ONCE)
        for row in rows:
            fault = fault_of(context.store, row.path, row.sha256, pace)
            if fault is not None or row.fault is not None:
                report_fault(row, fault, context)
            after = row.row_id
            if pace.is_over(most_s):
                return str(after)
        if len(rows) < ROWS_AT_ONCE:
            return None
