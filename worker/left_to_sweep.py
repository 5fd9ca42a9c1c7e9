"""What a task does that the registry has left in the middle: it stops, and the row is found by the sweep.

There is nothing to report and nobody to report it to: the lease runs out, the row is due again. One line in the log
says so, not the stack of every task of an hour in which the database was away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import RegistryUnavailableError
from service.logs import log_event

logger = logging.getLogger(__name__)


@contextmanager
def left_to_sweep(task: str, row_id: str | int) -> Iterator[None]:
    """End quietly when the registry does not answer; everything else propagates."""
    try:
        yield
    except RegistryUnavailableError as error:
        log_event(logger, "task_left_to_sweep", level=logging.WARNING, task=task, id=row_id, reason_code=error.code)
