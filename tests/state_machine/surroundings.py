"""What surrounds the registry in the state machine's tests: a clock that anybody may set, a broker that forgets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from dicom_node.derived import DerivedPolicy
from service.instance_store import InstanceStore
from service.job_queue import GPU_QUEUE
from service.registry.circuit_breaker import BreakerPolicy
from service.registry.commitment_claims import CommitmentPolicy
from tests.service.registry.factories import LEASE_S, NOON
from worker.context import RetryPolicy, WorkerContext


@dataclass
class Clock:
    """The time of every process."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Message:
    """One hint: `kind` is inference, notice or delivery."""

    kind: str
    row_id: str | int


@dataclass
class Broker:
    """A job queue whose messages may be taken in any order, twice, or never."""

    up: bool = True
    gpu: deque[Message] = field(default_factory=deque)
    network: deque[Message] = field(default_factory=deque)

    def announce_inference(self, job_id: str) -> bool:
        return self._put(self.gpu, Message("inference", job_id))

    def announce_notice(self, job_id: str) -> bool:
        return self._put(self.network, Message("notice", job_id))

    def announce_delivery(self, delivery_id: int) -> bool:
        return self._put(self.network, Message("delivery", delivery_id))

    def waiting(self, queue: str) -> int | None:
        return len(self.gpu if queue == GPU_QUEUE else self.network) if self.up else None

    def flush(self) -> None:
        """Every message is lost."""
        self.gpu.clear()
        self.network.clear()

    def _put(self, messages: deque[Message], message: Message) -> bool:
        if self.up:
            messages.append(message)
        return self.up


def worker_context(sessions: sessionmaker[Session], broker: Broker, clock: Clock, folder: Path) -> WorkerContext:
    """A worker on this registry; nothing is ever read from its instance store."""
    return WorkerContext(
        sessions=sessions,
        store=InstanceStore(folder, 0),
        queue=broker,  # type: ignore[arg-type]
        policy=DerivedPolicy(),
        inference_retries=RetryPolicy(3, 10.0, 100.0),
        delivery_retries=RetryPolicy(3, 10.0, 100.0),
        service_version="0.0.test",
        ae_title="SOFTRAY",
        seed=0,
        lease_s=LEASE_S,
        deadline_s=600.0,
        network_timeout_s=1.0,
        notice_refusals=True,
        breaker=BreakerPolicy(failures=2, first_s=10.0, longest_s=60.0),
        commitment=CommitmentPolicy(wait_for_report_s=0.0, timeout_s=3600.0, most_resends=2),
        clock=clock,
        owner="worker",
    )
