"""A worker's surroundings: a registry and a store in a temporary folder, and networks that do simple known things."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from pydicom import Dataset, dcmwrite
from torch import Tensor

from dicom_node.derived import DerivedPolicy
from models.suppressor import ModelIdentity, Suppressor
from service.database import make_engine, make_session_factory, upgrade
from service.instance_store import InstanceStore, Kind
from service.registry.instances import InstanceFacts, Recorded, Verdict, record_instance
from worker.context import RetryPolicy, WorkerContext

IDENTITY = ModelIdentity(
    name="constant",
    version="1",
    architecture="residual-unet",
    sha256="ab" * 32,
    sampler="one-pass",
    steps=1,
    precision="float32",
    device="cpu",
)


@dataclass
class ConstantSuppressor:
    """Takes the same amount of every pixel away; `residual` in [-1, 1]-range units."""

    residual: float = 0.0
    image_size: int = 64
    identity: ModelIdentity = IDENTITY
    before: Callable[[], None] = lambda: None

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        del seeds
        self.before()
        on_step(1, 1)
        return torch.full_like(cxr, self.residual)


class DirectHost:
    """A model host without a thread of its own."""

    def __init__(self, suppressor: Suppressor) -> None:
        self.suppressor = suppressor

    def run(self, work: Callable[[Suppressor], object]) -> object:
        return work(self.suppressor)


T = TypeVar("T")


@dataclass
class RecordingQueue:
    """Keeps what was announced."""

    inferences: list[str] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    messages_waiting: int | None = 0
    takes_messages: bool = True

    def announce_inference(self, job_id: str) -> bool:
        return self._announce(self.inferences, job_id)

    def announce_notice(self, job_id: str) -> bool:
        return self._announce(self.notices, job_id)

    def announce_delivery(self, delivery_id: int) -> bool:
        return self._announce(self.deliveries, delivery_id)

    def _announce(self, messages: list[T], row_id: T) -> bool:
        if self.takes_messages:
            messages.append(row_id)
        return self.takes_messages

    def waiting(self, queue: str) -> int | None:
        del queue
        return self.messages_waiting


@pytest.fixture
def context(tmp_path: Path) -> Iterator[WorkerContext]:
    url = f"sqlite:///{tmp_path / 'registry.sqlite3'}"
    upgrade(url)
    engine = make_engine(url)
    yield WorkerContext(
        sessions=make_session_factory(engine),
        store=InstanceStore(tmp_path / "instances", 0),
        queue=RecordingQueue(),  # type: ignore[arg-type]
        policy=DerivedPolicy(),
        inference_retries=RetryPolicy(3, 10.0, 100.0),
        delivery_retries=RetryPolicy(3, 10.0, 100.0),
        service_version="0.0.test",
        ae_title="SOFTRAY",
        seed=0,
        lease_s=30.0,
        deadline_s=60.0,
        network_timeout_s=5.0,
    )
    engine.dispose()


def queue_job(context: WorkerContext, dataset: Dataset) -> str:
    """Record `dataset` as a received, eligible instance; returns the id of its job."""
    recorded = receive(context, dataset, Verdict())
    assert recorded.job_id is not None
    return recorded.job_id


def receive(context: WorkerContext, dataset: Dataset, verdict: Verdict) -> Recorded:
    """Store `dataset` and record it with the gate's `verdict`."""
    encoded = BytesIO()
    dcmwrite(encoded, dataset, enforce_file_format=True)
    stored = context.store.keep(Kind.SOURCE, [encoded.getvalue()])
    facts = InstanceFacts(
        study_instance_uid=dataset.StudyInstanceUID,
        series_instance_uid=dataset.SeriesInstanceUID,
        sop_instance_uid=dataset.SOPInstanceUID,
        sop_class_uid=dataset.SOPClassUID,
        transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
        modality=dataset.Modality,
        calling_ae_title="MODALITY",
    )
    with context.sessions.begin() as session:
        return record_instance(
            session,
            facts,
            verdict,
            path=stored.path,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            now=datetime.now(UTC),
        )
