"""Working on one queue until the process is asked to stop, and ending within a bound whatever the work does.

Celery's own reactions to signals are left out: `service.stop_signals` decides, the same way in every process. On the
first signal no message is taken any more; what is in hand may end for most of `within_s`, is then broken off between
two steps, and is handed back at the bound. What waits in the queue stays there.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import warnings
from typing import Any

from celery import Celery
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning
from celery.worker import state

from service.logs import log_event
from service.stop_signals import StopSignals
from worker.work_in_hand import WorkInHand

logger = logging.getLogger(__name__)

BREAK_OFF_AT = 0.6
"""Part of the time to stop after which work is broken off at its next step; the last quarter is for handing back."""


def consume(
    celery: Celery, queue: str, *, pool: str, threads: int, stop: StopSignals, work: WorkInHand, within_s: float
) -> None:
    """Work on `queue` until the first signal; returns when nothing is in hand, or the process ends after `within_s`."""
    # Celery warns when root runs it, for the sake of pickled messages; ours are JSON and nothing else is accepted.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    stop.begin_work()
    stop.end_within(within_s, work.hand_back_all)
    threading.Thread(target=_drain, args=(stop, work, within_s), name="drain", daemon=True).start()
    log_event(logger, "worker_ready", queue=queue)
    worker = _SignalFreeWorker(
        app=celery,
        hostname=f"{queue}@{socket.gethostname()}",
        queues=[queue],
        pool=pool,
        concurrency=threads,
        loglevel=logging.getLevelName(logging.getLogger().level),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    work.empty_within(within_s)  # what other threads than Celery's hold
    log_event(logger, "worker_stopped", queue=queue)


class _SignalFreeWorker(Worker):  # type: ignore[misc]
    """Celery's worker without its signal handlers."""

    def install_platform_tweaks(self, worker: Any) -> None:
        """Nothing: a signal is not Celery's business here."""


def _drain(stop: StopSignals, work: WorkInHand, within_s: float) -> None:
    stop.requested.wait()
    work.stop()
    state.should_stop = 0  # what Celery's own handler sets: the exit code of a warm shutdown
    time.sleep(within_s * BREAK_OFF_AT)
    work.break_off()
