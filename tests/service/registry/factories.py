"""Registry rows with defaults; every argument may be overridden."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import TypeVar

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, delivery_queue, jobs, queries
from service.registry.claims import Claim, DeliveryClaim, DerivedFacts, ResultFacts
from service.registry.instances import InstanceFacts, Recorded, Verdict, record_instance
from service.registry.read_models import JobDetail
from service.registry.remote_nodes import add_remote_node
from service.registry.result_kinds import ResultKind

T = TypeVar("T")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LEASE_S = 30.0
LATER = NOON + timedelta(seconds=LEASE_S + 1)
"""When a lease taken at noon has run out."""
_serial = count(1)


def facts(**overrides: str | None) -> InstanceFacts:
    number = next(_serial)
    values: dict[str, str | None] = {
        "study_instance_uid": f"2.25.1{number}",
        "series_instance_uid": f"2.25.2{number}",
        "sop_instance_uid": f"2.25.3{number}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "modality": "DX",
        "calling_ae_title": "MODALITY",
    }
    return InstanceFacts(**(values | overrides))  # type: ignore[arg-type]


def record(
    session: Session,
    instance: InstanceFacts | None = None,
    *,
    sha256: str = "a" * 64,
    reason_code: str | None = None,
    verdict: Verdict | None = None,
    now: datetime = NOON,
) -> Recorded:
    return record_instance(
        session,
        instance or facts(),
        verdict or Verdict(reason_code, None if reason_code is None else "found a knee"),
        path=f"source/aa/{sha256}.dcm",
        sha256=sha256,
        size_bytes=8_000_000,
        now=now,
    )


def queued_job(sessions: sessionmaker[Session], *, now: datetime = NOON) -> str:
    with transaction(sessions) as session:
        job_id = record(session, now=now).job_id
    assert job_id is not None
    return job_id


def claimed(sessions: sessionmaker[Session], job_id: str, *, now: datetime = NOON, owner: str = "gpu-1") -> Claim:
    with transaction(sessions) as session:
        claim = jobs.claim(session, job_id, owner=owner, lease_s=LEASE_S, now=now)
    assert claim is not None
    return claim


def result_facts(**overrides: object) -> ResultFacts:
    values: dict[str, object] = {
        "kind": ResultKind.SOFT_TISSUE,
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1",
        "sop_instance_uid": "2.25.41",
        "series_instance_uid": "2.25.42",
        "path": "derived/bb/b.dcm",
        "sha256": "b" * 64,
    }
    return ResultFacts(**(values | overrides))  # type: ignore[arg-type]


def derived_facts(*results: ResultFacts, **overrides: str | None) -> DerivedFacts:
    values: dict[str, object] = {
        "results": results or (result_facts(),),
        "preview_source_path": "preview/cc/c.png",
        "preview_soft_path": "preview/dd/d.png",
        "preview_bone_path": "preview/ee/e.png",
        "model_name": "bs-ldm-lite",
        "model_sha256": "f" * 64,
        "device": "cpu",
    }
    return DerivedFacts(**(values | overrides))  # type: ignore[arg-type]


def derived_job(sessions: sessionmaker[Session], *results: ResultFacts, now: datetime = NOON) -> str:
    job_id = queued_job(sessions, now=now)
    claim = claimed(sessions, job_id, now=now)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(*results), now=now)
    return job_id


def add_node(
    sessions: sessionmaker[Session], name: str, *, may_send: bool = False, receives_results: bool = True
) -> None:
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name=name,
            ae_title=name.upper(),
            host="127.0.0.1",
            port=104,
            may_send=may_send,
            receives_results=receives_results,
            now=NOON,
        )


def pending(sessions: sessionmaker[Session], job_id: str, *, now: datetime = NOON) -> list[int]:
    with transaction(sessions) as session:
        return delivery_queue.pending_deliveries(session, job_id, now=now)


def claimed_delivery(sessions: sessionmaker[Session], delivery_id: int, *, now: datetime = NOON) -> DeliveryClaim:
    with transaction(sessions) as session:
        claim = deliveries.claim_delivery(session, delivery_id, owner="network-1", lease_s=LEASE_S, now=now)
    assert claim is not None
    return claim


def at_once(times: int, action: Callable[[int], T]) -> list[T]:
    """Run `action` in that many threads which start together."""
    start = Barrier(times)

    def run(number: int) -> T:
        start.wait()
        return action(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def detail(sessions: sessionmaker[Session], job_id: str) -> JobDetail:
    with transaction(sessions, read_only=True) as session:
        found = queries.job_detail(session, job_id)
    assert found is not None
    return found
