"""Celery without the workers: task names, queues, the application object and the announcement of work.

A message is a hint, the row is the truth. So announcing never fails and never takes long: when the broker is away the
event is logged and the sweep announces the row later. Loads neither torch nor the tasks' code.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.entity import Queue
from kombu.pools import ProducerPool

from service.folder_broker import folder_broker_options, register_folder_broker
from service.logs import log_event

INFER_TASK = "softray.infer"
DELIVER_TASK = "softray.deliver"
NOTIFY_TASK = "softray.notify"
GPU_QUEUE = "gpu"
NETWORK_QUEUE = "network"

POLLING_INTERVAL_S = 0.2
SOCKET_TIMEOUT_S = 1.0
# After a failure the broker is left alone for a while: a sender of images must not wait a second for each of them.
PAUSE_AFTER_FAILURE_S = 5.0
_logger = logging.getLogger(__name__)


def make_celery(broker_url: str, data_dir: Path) -> Celery:
    """The Celery application that producers and workers share; `filesystem://` keeps its messages under `data_dir`."""
    # Without a host name kombu warns with every connection that it takes localhost.
    broker = "filesystem://localhost//" if broker_url.startswith("filesystem:") else broker_url
    app = Celery("softray", broker=broker, set_as_current=False)
    app.conf.update(
        broker_transport_options=_transport_options(broker_url, data_dir),
        broker_connection_retry_on_startup=True,
        task_queues=[_queue(GPU_QUEUE), _queue(NETWORK_QUEUE)],
        task_default_queue=NETWORK_QUEUE,
        task_routes={
            INFER_TASK: {"queue": GPU_QUEUE},
            DELIVER_TASK: {"queue": NETWORK_QUEUE},
            NOTIFY_TASK: {"queue": NETWORK_QUEUE},
        },
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        # A worker takes one message at a time and the next when its task has ended, so that a killed worker holds back
        # nothing but what it worked on.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        timezone="UTC",
        enable_utc=True,
    )
    return app


class JobQueue:
    """Announces committed rows to the workers; safe for any number of threads."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        # A connection of our own: a short socket timeout would break a worker's blocking read of the same application.
        options = {
            **celery.conf.broker_transport_options,
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": SOCKET_TIMEOUT_S,
            "max_retries": 0,
        }
        self._connection = celery.connection_for_write(transport_options=options)
        self._producers: Any = ProducerPool(self._connection.Pool(limit=8), limit=8)  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def announce_inference(self, job_id: str) -> bool:
        """Tell the gpu workers of a QUEUED job, after the commit. False: no message left, the row is the sweep's."""
        return self._announce(INFER_TASK, GPU_QUEUE, job_id)

    def announce_delivery(self, delivery_id: int) -> bool:
        """Tell the network workers of a PENDING delivery, after the commit. False as above."""
        return self._announce(DELIVER_TASK, NETWORK_QUEUE, delivery_id)

    def announce_notice(self, job_id: str) -> bool:
        """Tell the network workers of a QUEUED refusal notice, after the commit. False as above."""
        return self._announce(NOTIFY_TASK, NETWORK_QUEUE, job_id)

    def waiting(self, queue: str) -> int | None:
        """Messages that no worker has taken yet; None when the broker does not answer.

        The sweep asks before it announces rows again, so that messages do not pile up behind a slow worker.
        """
        if self._paused():
            return None
        try:
            with self._producers.acquire(block=True, timeout=SOCKET_TIMEOUT_S) as producer:
                return int(producer.channel._size(queue))
        except Exception as error:
            self._pause("broker_unavailable", error)
            return None

    def close(self) -> None:
        """Close the broker connections."""
        self._producers.force_close_all()
        self._connection.release()

    def _announce(self, task: str, queue: str, row_id: str | int) -> bool:
        if self._paused():
            return False
        try:
            with self._producers.acquire(block=True, timeout=SOCKET_TIMEOUT_S) as producer:
                self._celery.send_task(task, args=[row_id], queue=queue, producer=producer, retry=False)
        except Exception as error:  # kombu and its transports raise whatever their sockets and files raise
            self._pause("announcement_left_to_sweep", error, task=task, id=row_id)
            return False
        log_event(_logger, "announced", level=logging.DEBUG, task=task, id=row_id)
        return True

    def _paused(self) -> bool:
        with self._lock:
            return time.monotonic() < self._paused_until

    def _pause(self, event: str, error: Exception, **fields: Any) -> None:
        with self._lock:
            self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE_S
        # Only the kind of error: its text may repeat the broker's URL with the password.
        log_event(_logger, event, level=logging.WARNING, error=type(error).__name__, **fields)


def broker_folder(data_dir: Path) -> Path:
    """Where the messages lie when no server is the broker."""
    return data_dir.absolute() / "broker"


def _queue(name: str) -> Queue:
    return Queue(name, routing_key=name)  # type: ignore[no-untyped-call]


def _transport_options(broker_url: str, data_dir: Path) -> dict[str, Any]:
    if broker_url.startswith("filesystem:"):
        register_folder_broker()
        return folder_broker_options(broker_folder(data_dir), POLLING_INTERVAL_S)
    # Acknowledging is a worker's own affair. Kept at the broker, an acknowledgement could fail: the message would count
    # as in hand for ever, and a worker that takes one at a time would never take another (the connection is not even
    # looked at meanwhile). What a worker had in hand when it died is a row that is due, and the sweep announces it.
    return {"ack_emulation": False, "socket_keepalive": True, "health_check_interval": 10}
