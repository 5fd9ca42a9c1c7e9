"""The sweeper: the row is the truth, a message only a hint, so whatever stands due in the registry is announced again.

A worker killed in mid-image, a broker flushed, a message lost between commit and publish: each leaves a row that is due
and that nobody works on, and that is all the sweeper looks for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from service.database import transaction
from service.job_queue import GPU_QUEUE, NETWORK_QUEUE
from service.logs import log_event
from service.registry import delivery_queue
from service.registry.compare_and_swap import mark_announced
from service.registry.due_jobs import due_jobs, take_back_jobs
from service.registry.job_states import JobPurpose
from service.registry.jobs import SILENT_FOR_S
from service.registry.lateness import note_late_jobs
from service.registry.tables import Delivery, Job
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

BATCH = 50
# A broker without a single message has lost those of the rows that still wait, or a worker is about to claim them.
SILENT_FOR_S_WHEN_EMPTY = 5.0

RowId = TypeVar("RowId", str, int)


def sweep(context: WorkerContext) -> int:
    """Announce again what is due and not announced lately. Returns how many hints were sent.

    A queue that still holds many messages gets no more: its workers are slow or away, and hints would only pile up.
    """
    inferences: list[str] = []
    notices: list[str] = []
    waiting_deliveries: list[int] = []
    for_gpu, for_network = (context.queue.waiting(queue) for queue in (GPU_QUEUE, NETWORK_QUEUE))
    now = context.clock()
    with transaction(context.sessions) as session:
        late = note_late_jobs(session, now=now, limit=BATCH)
        delivery_queue.ensure_deliveries(session, now=now, routing=context.routing)
        _take_back(session, now)
        if for_gpu is not None and for_gpu < BATCH:
            inferences = due_jobs(session, now=now, limit=BATCH, silent_for_s=_silent_for_s(for_gpu))
        if for_network is not None and for_network < BATCH:
            notices = due_jobs(
                session,
                now=now,
                limit=BATCH,
                purpose=JobPurpose.REFUSAL_NOTICE,
                silent_for_s=_silent_for_s(for_network),
            )
            waiting_deliveries = delivery_queue.due_deliveries(session, now=now, limit=BATCH)
    for job in late:
        log_event(logger, "job_late", level=logging.WARNING, job_id=job.job_id, priority=job.priority, state=job.state)
    unsent_jobs = _unsent(inferences, context.queue.announce_inference)
    unsent_jobs += _unsent(notices, context.queue.announce_notice)
    unsent_deliveries = _unsent(waiting_deliveries, context.queue.announce_delivery)
    if unsent_jobs or unsent_deliveries:
        with transaction(context.sessions) as session:
            mark_announced(session, Job, unsent_jobs, None)
            mark_announced(session, Delivery, unsent_deliveries, None)
    hints = len(inferences) + len(notices) + len(waiting_deliveries) - len(unsent_jobs) - len(unsent_deliveries)
    if hints:
        log_event(logger, "swept", inferences=len(inferences), notices=len(notices), deliveries=len(waiting_deliveries))
    return hints


def _take_back(session: Session, now: datetime) -> None:
    """What a worker held that died is due again at once: the messages that wait, however many, may be for it."""
    for purpose in JobPurpose:
        take_back_jobs(session, now, BATCH, purpose=purpose)
    delivery_queue.take_back_deliveries(session, now, BATCH)


def _unsent(row_ids: Sequence[RowId], announce: Callable[[RowId], bool]) -> list[RowId]:
    return [row_id for row_id in row_ids if not announce(row_id)]


def _silent_for_s(messages: int) -> float:
    return SILENT_FOR_S if messages else SILENT_FOR_S_WHEN_EMPTY


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
