"""The sweeper: the row is the truth, a message only a hint, so whatever stands due in the registry is announced again.

A worker killed in mid-image, a broker flushed, a message lost between commit and publish: each leaves a row that is due
and that nobody works on, and that is all the sweeper looks for.
"""

from __future__ import annotations

import logging
import threading

from service.database import transaction
from service.job_queue import GPU_QUEUE, NETWORK_QUEUE
from service.logs import log_event
from service.registry import deliveries, jobs
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

BATCH = 50


def sweep(context: WorkerContext) -> int:
    """Announce again what is due and not announced lately. Returns how many hints were sent.

    A queue that still holds many messages gets no more: its workers are slow or away, and hints would only pile up.
    """
    due_jobs: list[str] = []
    waiting_deliveries: list[int] = []
    inference_has_room, delivery_has_room = (_has_room(context, queue) for queue in (GPU_QUEUE, NETWORK_QUEUE))
    now = context.clock()
    with transaction(context.sessions) as session:
        deliveries.ensure_deliveries(session, now=now)
        if inference_has_room:
            due_jobs = jobs.due_inference(session, now=now, limit=BATCH)
        if delivery_has_room:
            waiting_deliveries = deliveries.due_deliveries(session, now=now, limit=BATCH)
    for job_id in due_jobs:
        context.queue.announce_inference(job_id)
    for delivery_id in waiting_deliveries:
        context.queue.announce_delivery(delivery_id)
    if due_jobs or waiting_deliveries:
        log_event(logger, "swept", inferences=len(due_jobs), deliveries=len(waiting_deliveries))
    return len(due_jobs) + len(waiting_deliveries)


def _has_room(context: WorkerContext, queue: str) -> bool:
    waiting = context.queue.waiting(queue)
    return waiting is not None and waiting < BATCH


def start_sweeper(context: WorkerContext, interval_s: float) -> threading.Event:
    """Sweep every `interval_s` seconds on a daemon thread, at once for the first time; set the event to stop it."""
    stop = threading.Event()

    def keep_sweeping() -> None:
        while True:
            try:
                sweep(context)
            except Exception as error:  # the database may be away for a while; the next sweep finds the same rows
                log_event(logger, "sweep_failed", error=type(error).__name__)
            if stop.wait(interval_s):
                return

    threading.Thread(target=keep_sweeping, name="sweeper", daemon=True).start()
    return stop
