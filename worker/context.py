"""What every task needs, built once by the entry point and handed down."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from dicom_node.derived import DerivedPolicy
from dicom_node.eligibility import EligibilityPolicy
from dicom_node.kept_associations import KeptAssociations
from service.instance_store import InstanceStore
from service.job_queue import JobQueue
from service.registry.circuit_breaker import BreakerPolicy
from service.registry.commitment_claims import CommitmentPolicy
from service.routing import ResultsSection, Routing
from worker.lease import ignore_hang
from worker.work_in_hand import WorkInHand


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long apart a failed step is tried again.

    The wait before attempt n + 1 is base_s * 2 ** (n - 1), at most max_s, plus up to a quarter of it by chance, so that
    jobs that failed together do not come back together.
    """

    max_attempts: int
    base_s: float
    max_s: float

    def exhausted(self, attempts: int) -> bool:
        """Whether `attempts` (the one that just failed included) were the last."""
        return attempts >= self.max_attempts

    def wait_s(self, attempts: int, chance: float) -> float:
        """Seconds until the next attempt, after `attempts` failed ones; `chance` in [0, 1)."""
        wait = min(self.max_s, self.base_s * 2.0 ** min(max(0, attempts - 1), 30))
        return wait * (1.0 + 0.25 * chance)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class WorkerContext:
    """The values and connections of one worker process."""

    sessions: sessionmaker[Session]
    store: InstanceStore
    queue: JobQueue
    policy: DerivedPolicy
    inference_retries: RetryPolicy
    delivery_retries: RetryPolicy
    service_version: str
    ae_title: str
    seed: int
    lease_s: float
    deadline_s: float
    network_timeout_s: float
    spread_seeds: int = 0
    preset: str = ""
    """The name under which the model host was told how to sample, for the receipts."""
    results: ResultsSection = field(default_factory=ResultsSection)
    routing: Routing = field(default_factory=Routing)
    eligibility: EligibilityPolicy = field(default_factory=EligibilityPolicy)
    notice_refusals: bool = False
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    commitment: CommitmentPolicy = field(default_factory=CommitmentPolicy)
    client_tls: ssl.SSLContext | None = None
    """For associations with nodes that want them encrypted."""
    web_ca_file: Path | None = None
    """Authorities that DICOMweb services are trusted by; None: the public ones."""
    associations: KeptAssociations = field(default_factory=KeptAssociations)
    """For deliveries by C-STORE; closed when the process stops."""
    owner: str = field(default_factory=_owner)
    clock: Callable[[], datetime] = _now
    on_hang: Callable[[], None] = ignore_hang
    """Called when an inference is a whole lease past its deadline and has not even noticed: the device hangs."""
    work: WorkInHand = field(default_factory=WorkInHand)
    """What this process has claimed, to be handed back when it stops."""
