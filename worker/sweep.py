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
from service.registry import delivery_queue
from service.registry.due_jobs import due_jobs
from service.registry.job_states import JobPurpose
from service.registry.lateness import note_late_jobs
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

BATCH = 50


def sweep(context: WorkerContext) -> int:
    """Announce again what is due and not announced lately. Returns how many hints were sent.

    A queue that still holds many messages gets no more: its workers are slow or away, and hints would only pile up.
    """
    inferences: list[str] = []
    notices: list[str] = []
    waiting_deliveries: list[int] = []
    inference_has_room, delivery_has_room = (_has_room(context, queue) for queue in (GPU_QUEUE, NETWORK_QUEUE))
    now = context.clock()
    with transaction(context.sessions) as session:
        late = note_late_jobs(session, now=now, limit=BATCH)
        delivery_queue.ensure_deliveries(session, now=now, routing=context.routing)
        if inference_has_room:
            inferences = due_jobs(session, now=now, limit=BATCH)
        if delivery_has_room:
            notices = due_jobs(session, now=now, limit=BATCH, purpose=JobPurpose.REFUSAL_NOTICE)
            waiting_deliveries = delivery_queue.due_deliveries(session, now=now, limit=BATCH)
    for job in late:
        log_event(logger, "job_late", level=logging.WARNING, job_id=job.job_id, priority=job.priority, state=job.state)
    for job_id in inferences:
        context.queue.announce_inference(job_id)
    for job_id in notices:
        context.queue.announce_notice(job_id)
    for delivery_id in waiting_deliveries:
        context.queue.announce_delivery(delivery_id)
    hints = len(inferences) + len(notices) + len(waiting_deliveries)
    if hints:
        log_event(logger, "swept", inferences=len(inferences), notices=len(notices), deliveries=len(waiting_deliveries))
    return hints


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
