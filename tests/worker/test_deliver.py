"""One stored derived instance goes to one destination, and only the PACS's own answer marks it sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid
from sqlalchemy import update

from dicom_node.radiograph import wrap_radiograph
from dicom_node.stand_in_pacs import StandInPacs
from service.errors import StoreFullError, TransientError
from service.registry import deliveries, delivery_queue, queries, remote_nodes
from service.registry.job_states import DeliveryState, JobState
from service.registry.result_kinds import ResultKind
from service.registry.tables import RemoteNode
from service.routing import ResultsSection
from tests.radiographs import phantom
from tests.worker.conftest import ConstantSuppressor, DirectHost, queue_job
from worker.context import RetryPolicy, WorkerContext
from worker.deliver import deliver
from worker.infer import infer


@pytest.fixture
def job_id(context: WorkerContext) -> str:
    """A job that is derived and has no destination yet."""
    made = queue_job(context, wrap_radiograph(phantom(1024).radiograph))
    assert infer(made, context, DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    return made


def plan(context: WorkerContext, pacs: StandInPacs, name: str = "pacs") -> None:
    with context.sessions.begin() as session:
        remote_nodes.add_remote_node(
            session,
            name=name,
            ae_title=pacs.ae_title,
            host="127.0.0.1",
            port=pacs.port,
            may_send=False,
            receives_results=True,
            now=context.clock(),
        )


def pending(context: WorkerContext, job_id: str) -> list[int]:
    with context.sessions.begin() as session:
        delivery_queue.ensure_deliveries(session, context.clock(), routing=context.routing)
        return delivery_queue.pending_deliveries(session, job_id, now=context.clock())


def detail(context: WorkerContext, job_id: str) -> queries.JobDetail:
    with context.sessions() as session:
        found = queries.job_detail(session, job_id)
    assert found is not None
    return found


def test_the_stored_bytes_arrive_and_the_job_is_delivered(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        assert deliver(delivery_id, context)
        [arrived] = pacs.files()
    found = detail(context, job_id)
    assert found.summary.state is JobState.DELIVERED
    assert found.soft_tissue is not None
    assert dcmread(arrived) == dcmread(context.store.resolve(found.soft_tissue.path))


def test_a_delivered_result_is_not_sent_again(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        assert deliver(delivery_id, context)
        assert not deliver(delivery_id, context)
        assert len(pacs.files()) == 1


def test_a_pacs_that_is_down_is_tried_again_later(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
    [delivery_id] = pending(context, job_id)
    assert not deliver(delivery_id, context)
    found = detail(context, job_id)
    assert found.summary.state is JobState.DERIVED
    [delivery] = found.deliveries
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert delivery.not_before is not None
    assert delivery.not_before > context.clock()


def test_a_pacs_that_stays_down_makes_the_job_fail_visibly(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
    [delivery_id] = pending(context, job_id)
    start = context.clock()
    for hours in (1, 2, 3):
        deliver(delivery_id, replace(context, clock=lambda h=hours: start + timedelta(hours=h)))
    summary = detail(context, job_id).summary
    assert (summary.state, summary.reason_code) == (JobState.FAILED, "DELIVERY_FAILED")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x0000, DeliveryState.SENT),
        (0xB000, DeliveryState.SENT),
        (0xB007, DeliveryState.SENT),
        (0x0111, DeliveryState.SENT),
        (0xA700, DeliveryState.PENDING),
        (0xA900, DeliveryState.FAILED),
        (0xC001, DeliveryState.FAILED),
        (0x0124, DeliveryState.FAILED),
        (0x0122, DeliveryState.REPLACED),
    ],
)
def test_each_answer_of_the_pacs_means_what_the_standard_says(
    context: WorkerContext, job_id: str, tmp_path: Path, status: int, state: DeliveryState
) -> None:
    with StandInPacs(tmp_path / "pacs", answer=lambda _uid: status) as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        deliver(delivery_id, context)
    delivery = detail(context, job_id).deliveries[0]
    assert (delivery.state, delivery.dimse_status) == (state, status)


def test_one_dead_destination_does_not_keep_the_other_from_its_result(
    context: WorkerContext, job_id: str, tmp_path: Path
) -> None:
    with StandInPacs(tmp_path / "dead", ae_title="DEAD") as dead:
        plan(context, dead, "dead")
    with StandInPacs(tmp_path / "alive", ae_title="ALIVE") as alive:
        plan(context, alive, "alive")
        for delivery_id in pending(context, job_id):
            deliver(delivery_id, context)
        assert len(alive.files()) == 1
    states = {delivery.remote_node: delivery.state for delivery in detail(context, job_id).deliveries}
    assert states == {"alive": DeliveryState.SENT, "dead": DeliveryState.PENDING}


def test_a_derived_file_that_was_altered_is_never_sent(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    made = detail(context, job_id).soft_tissue
    assert made is not None
    stored = made.path
    assert stored is not None
    path = context.store.resolve(stored)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-2] + b"\1\2")
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        assert not deliver(delivery_id, context)
        assert pacs.files() == []
    [delivery] = detail(context, job_id).deliveries
    assert delivery.reason_code == "STORED_FILE_ALTERED"


def test_a_pacs_that_takes_neither_dx_nor_cr_gets_the_picture_as_secondary_capture(
    context: WorkerContext, job_id: str, tmp_path: Path
) -> None:
    with StandInPacs(tmp_path / "pacs", sop_classes=[SecondaryCaptureImageStorage]) as pacs:
        plan(context, pacs)
        [refused] = pending(context, job_id)
        assert not deliver(refused, context)
        [again] = pending(context, job_id)
        assert deliver(again, context)
        [arrived] = pacs.wait_for(1, 10)
    found = detail(context, job_id)
    assert found.summary.state is JobState.DELIVERED
    assert [row.state for row in found.deliveries] == [DeliveryState.REPLACED, DeliveryState.SENT]
    captured, made = dcmread(arrived), found.soft_tissue
    assert made is not None
    assert captured.SOPClassUID == SecondaryCaptureImageStorage
    assert captured.PixelData == dcmread(context.store.resolve(made.path)).PixelData


def test_without_the_fallback_such_a_refusal_is_a_failure(context: WorkerContext, job_id: str, tmp_path: Path) -> None:
    strict = replace(context, results=ResultsSection(secondary_capture="never"))
    with StandInPacs(tmp_path / "pacs", sop_classes=[SecondaryCaptureImageStorage]) as pacs:
        plan(strict, pacs)
        assert not deliver(pending(strict, job_id)[0], strict)
    assert detail(context, job_id).summary.state is JobState.FAILED


def test_a_report_that_a_pacs_does_not_take_fails_nothing(context: WorkerContext, tmp_path: Path) -> None:
    reporting = replace(context, results=ResultsSection(report=True))
    made = queue_job(reporting, wrap_radiograph(phantom(1024).radiograph))
    assert infer(made, reporting, DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(reporting, pacs)
        for delivery_id in pending(reporting, made):
            deliver(delivery_id, reporting)
    found = detail(reporting, made)
    assert found.summary.state is JobState.DELIVERED
    assert {row.kind: row.state for row in found.deliveries} == {
        ResultKind.SOFT_TISSUE: DeliveryState.SENT,
        ResultKind.REPORT: DeliveryState.DECLINED,
    }


def test_a_pacs_that_is_away_is_left_alone_after_some_attempts(context: WorkerContext, tmp_path: Path) -> None:
    patient_context = replace(context, delivery_retries=RetryPolicy(50, 0.001, 0.001))
    waiting = []
    for _ in range(4):
        dataset = wrap_radiograph(phantom(1024).radiograph, sop_instance_uid=generate_uid())
        made = queue_job(context, dataset)
        assert infer(made, context, DirectHost(ConstantSuppressor()))  # type: ignore[arg-type]
        waiting.append(made)
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
    deliveries_waiting = [pending(context, job)[0] for job in waiting]
    for delivery_id in deliveries_waiting:
        assert not deliver(delivery_id, patient_context)
    # Each message tries what is next for the node at that moment: after three attempts it is left alone.
    assert sum(detail(context, job).deliveries[0].attempts for job in waiting) == 3
    with context.sessions() as session:
        [node] = remote_nodes.list_remote_nodes(session)
    assert node.failures_in_a_row == 3
    assert node.paused_until is not None


def test_what_waits_for_a_node_is_announced_when_the_node_has_a_hand_free(
    context: WorkerContext, job_id: str, tmp_path: Path
) -> None:
    another = queue_job(context, wrap_radiograph(phantom(1024).radiograph, sop_instance_uid=generate_uid()))
    assert infer(another, context, DirectHost(ConstantSuppressor()))  # type: ignore[arg-type]
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [first], [second] = pending(context, job_id), pending(context, another)
        assert deliver(first, context)
    assert context.queue.deliveries == [second]  # type: ignore[attr-defined]


def test_a_delivery_whose_worker_dies_every_time_is_given_up(
    context: WorkerContext, job_id: str, tmp_path: Path
) -> None:
    start = context.clock()
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        for hours in (1, 2, 3):
            with context.sessions.begin() as session:
                now = start + timedelta(hours=hours)
                assert deliveries.claim_delivery(session, delivery_id, owner="x", lease_s=1, now=now)
        assert not deliver(delivery_id, replace(context, clock=lambda: start + timedelta(hours=4)))
        assert pacs.files() == []
    [delivery] = detail(context, job_id).deliveries
    assert (delivery.state, delivery.reason_code) == (DeliveryState.FAILED, "ATTEMPTS_EXHAUSTED")


def test_a_failure_of_our_own_store_is_not_held_against_the_node(
    context: WorkerContext, job_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(path: str, sha256: str) -> bytes:
        raise TransientError("STORE_UNREADABLE", f"expected {path} with digest {sha256[:4]}, found a disk that is away")

    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        monkeypatch.setattr(context.store, "read", away)
        assert not deliver(delivery_id, context)
    [delivery] = detail(context, job_id).deliveries
    assert (delivery.state, delivery.reason_code) == (DeliveryState.PENDING, "STORE_UNREADABLE")
    with context.sessions() as session:
        [node] = remote_nodes.list_remote_nodes(session)
    assert node.failures_in_a_row == 0


def test_a_disk_without_room_for_the_secondary_capture_costs_no_attempt(
    context: WorkerContext, job_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFullError("STORE_FULL", "no room left")

    monkeypatch.setattr(context.store, "keep", full)
    with StandInPacs(tmp_path / "pacs", sop_classes=[SecondaryCaptureImageStorage]) as pacs:
        plan(context, pacs)
        [delivery_id] = pending(context, job_id)
        assert not deliver(delivery_id, replace(context, delivery_retries=RetryPolicy(1, 1.0, 1.0)))
    [delivery] = detail(context, job_id).deliveries
    assert (delivery.state, delivery.reason_code, delivery.attempts) == (DeliveryState.PENDING, "STORE_FULL", 0)
    assert delivery.not_before is not None


def test_a_certificate_that_is_missing_fails_no_delivery_for_good(
    context: WorkerContext, job_id: str, tmp_path: Path
) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        plan(context, pacs)
    with context.sessions.begin() as session:
        session.execute(update(RemoteNode).values(tls=True))
    assert not deliver(pending(context, job_id)[0], context)
    [delivery] = detail(context, job_id).deliveries
    assert (delivery.state, delivery.reason_code) == (DeliveryState.PENDING, "TLS_NOT_CONFIGURED")
