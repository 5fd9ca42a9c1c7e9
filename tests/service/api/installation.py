"""A registry and an instance store with something in every state, filled through the registry's own functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from fastapi import FastAPI
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from service.access.entry import Entry
from service.api.access_policy import AccessPolicy
from service.api.app import create_app
from service.api.host_names import host_names
from service.audit.alerts import Alerts
from service.database import make_engine, make_session_factory, transaction, upgrade
from service.instance_store import InstanceStore, Kind
from service.registry import deliveries, jobs, queries
from service.registry.instances import InstanceFacts, Verdict, record_instance, record_rejection
from service.registry.job_states import JobState
from service.registry.remote_nodes import add_remote_node
from service.registry.result_kinds import ResultKind
from service.routing import Routing

STARTED = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
T = TypeVar("T")
PREVIEW_NAMES = ("source", "soft-tissue", "bone")


class RecordingQueue:
    """A JobQueue that remembers what was announced; `reachable` False: the broker is away."""

    def __init__(self) -> None:
        self.inferences: list[str] = []
        self.deliveries: list[int] = []
        self.reachable = True

    def announce_inference(self, job_id: str) -> bool:
        self.inferences.append(job_id)
        return True

    def announce_delivery(self, delivery_id: int) -> bool:
        self.deliveries.append(delivery_id)
        return True

    def waiting(self, queue: str) -> int | None:
        return 0 if self.reachable else None


@dataclass
class Installation:
    """What the API stands on; every method moves one image on as the node and the workers would."""

    sessions: sessionmaker[Session]
    store: InstanceStore
    queue: RecordingQueue
    clock: Iterator[datetime] = field(
        default_factory=lambda: iter(STARTED + timedelta(seconds=7 * tick) for tick in range(100_000))
    )
    received: int = 0
    routing: Routing = jobs.EVERYWHERE

    def app(self, **access: object) -> FastAPI:
        """The app; without a login unless `access` (fields of the AccessPolicy) says otherwise."""
        return create_app(self.sessions, self.store, self.queue, self.routing, access=self.policy(**access))

    def policy(self, **access: object) -> AccessPolicy:
        """Of a machine of one's own, which the test client calls "testserver"."""
        entry, alerts = Entry(self.sessions), Alerts(self.sessions)
        defaults = {"entry": entry, "alerts": alerts, "hosts": host_names(["testserver"]), "login_required": False}
        return AccessPolicy(**(defaults | access))  # type: ignore[arg-type]

    def receive(self, study: str, *, reason_code: str | None = None, reason_detail: str | None = None) -> str:
        """One image of `study` by C-STORE; returns its job id, or "" when it is not eligible."""
        self.received += 1
        number = self.received
        facts = InstanceFacts(
            study_instance_uid=study,
            series_instance_uid=f"{study}.1",
            sop_instance_uid=f"{study}.1.{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            modality="DX",
            calling_ae_title="XRAY1",
        )
        stored = self.store.keep(Kind.SOURCE, [f"image {number}".encode()])
        recorded = self.write(
            lambda session: record_instance(
                session,
                facts,
                Verdict(reason_code, reason_detail),
                path=stored.path,
                sha256=stored.sha256,
                size_bytes=stored.size_bytes,
                now=next(self.clock),
            )
        )
        return recorded.job_id or ""

    def run(self, job_id: str, *, step: int = 0, total_steps: int = 0) -> jobs.Claim:
        claim = self.write(
            lambda session: jobs.claim(session, job_id, owner="gpu-1", lease_s=3600, now=next(self.clock))
        )
        assert claim is not None
        if total_steps:
            assert self.write(
                lambda session: jobs.renew(
                    session, claim, lease_s=3600, step=step, total_steps=total_steps, now=next(self.clock)
                )
            )
        return claim

    def derive(self, job_id: str, pictures: dict[str, bytes] | None = None) -> None:
        claim = self.run(job_id, step=20, total_steps=20)
        result = self.store.keep(Kind.DERIVED, [b"derived " + job_id.encode()])
        paths = [
            self.store.keep(Kind.PREVIEW, [(pictures or striped_pictures())[name]], ".png").path
            for name in PREVIEW_NAMES
        ]
        facts = jobs.DerivedFacts(
            results=(
                jobs.ResultFacts(
                    kind=ResultKind.SOFT_TISSUE,
                    sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
                    sop_instance_uid=f"2.25.{abs(hash(job_id))}",
                    series_instance_uid="2.25.77",
                    path=result.path,
                    sha256=result.sha256,
                ),
            ),
            preview_source_path=paths[0],
            preview_soft_path=paths[1],
            preview_bone_path=paths[2],
            model_name="residual-unet",
            model_sha256="ab" * 32,
            device="cpu",
        )
        assert self.write(lambda session: jobs.record_derived(session, claim, facts, now=next(self.clock)))

    def deliver(self, job_id: str, *, status: int = 0x0000) -> None:
        """Every delivery of the job: 0x0000 is sent, anything else is refused for good."""
        detail = self.read(lambda session: queries.job_detail(session, job_id))
        assert detail is not None
        for row in detail.deliveries:
            claim = self.write(
                lambda session, row=row: deliveries.claim_delivery(
                    session, row.delivery_id, owner="network-1", lease_s=60, now=next(self.clock)
                )
            )
            assert claim is not None
            if status == 0x0000:
                self.write(
                    lambda session, claim=claim: deliveries.delivery_sent(
                        session, claim, status=status, now=next(self.clock)
                    )
                )
            else:
                self.write(
                    lambda session, claim=claim: deliveries.delivery_failed(
                        session,
                        claim,
                        code="REFUSED_BY_PEER",
                        detail="expected a status of success, found a refusal",
                        status=status,
                        now=next(self.clock),
                    )
                )

    def fail(self, job_id: str, code: str = "PIXELS_UNDECODABLE", detail: str = "the codestream ends early") -> None:
        claim = self.run(job_id)
        self.write(lambda session: jobs.fail(session, claim, code=code, detail=detail, now=next(self.clock)))

    def reject(self, detail: str = "expected a DICOM data set, found other bytes") -> None:
        kept = self.store.keep(Kind.QUARANTINE, [b"not DICOM"])
        self.write(
            lambda session: record_rejection(
                session,
                reason_code="UNPARSABLE",
                detail=detail,
                calling_ae_title="XRAY1",
                sop_instance_uid=None,
                path=kept.path,
                sha256=kept.sha256,
                now=next(self.clock),
            )
        )

    def add_destination(self, name: str = "PACS") -> None:
        self.write(
            lambda session: add_remote_node(
                session,
                name=name,
                ae_title="PACS",
                host="pacs.example",
                port=104,
                may_send=True,
                receives_results=True,
                now=next(self.clock),
            )
        )

    def state(self, job_id: str) -> JobState:
        detail = self.read(lambda session: queries.job_detail(session, job_id))
        assert detail is not None
        return detail.summary.state

    def write(self, change: Callable[[Session], T]) -> T:
        with transaction(self.sessions) as session:
            return change(session)

    def read(self, look: Callable[[Session], T]) -> T:
        with transaction(self.sessions, read_only=True) as session:
            return look(session)


def install(folder: Path) -> Installation:
    """An empty installation on SQLite in `folder`."""
    url = f"sqlite:///{folder / 'softray.sqlite3'}"
    upgrade(url)
    sessions = make_session_factory(make_engine(url))
    return Installation(sessions, InstanceStore(folder / "instances", min_free_bytes=0), RecordingQueue())


def striped_pictures() -> dict[str, bytes]:
    """Three small PNGs that differ: a shaded field with stripes, the same without, and the stripes on grey."""
    field_ = np.linspace(60, 200, 64)[:, None] * np.ones((1, 64))
    stripes = 30.0 * (np.arange(64) % 8 < 3)[:, None] * np.ones((1, 64))
    return {"source": _png(field_ + stripes), "soft-tissue": _png(field_), "bone": _png(128 + stripes)}


def _png(grey: np.ndarray) -> bytes:
    target = BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(target, format="PNG")
    return target.getvalue()
