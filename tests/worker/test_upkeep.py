"""The upkeep over a real store and registry: nothing that anybody needs goes, and nothing lost stays unseen."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from sqlalchemy import select, update

from dicom_node.radiograph import wrap_radiograph
from service.errors import StoreFullError
from service.instance_store import InstanceStore, Kind
from service.registry import deliveries, delivery_queue, jobs, remote_nodes
from service.registry.exposures import FOR_PRESENTATION_PREFERRED, FOR_PROCESSING
from service.registry.instances import Verdict
from service.registry.job_states import JobState
from service.registry.kept_files import Table
from service.registry.tables import Instance, Job, Result
from service.registry.upkeep_tables import UpkeepTask
from service.registry.upkeep_tasks import claim_task, pass_ended, read_tasks
from service.retrying import retry_job
from service.routing import Routing
from service.site_retention import RetentionSection
from service.space import DiskMarks
from service.store_upkeep import is_there, remove_file, set_aside_files
from tests.dicom_node.factories import chest
from tests.dicom_node.factories import radiograph as chest_radiograph
from tests.dicom_node.running_node import as_received, installation
from tests.radiographs import phantom
from tests.service_process import wait_for
from tests.worker.conftest import ConstantSuppressor, DirectHost, queue_job, receive
from worker import infer as infer_module
from worker.context import WorkerContext
from worker.deliver import deliver
from worker.infer import infer
from worker.reconcile import StoreDoesNotMatchError, missing, orphans
from worker.retention import retain, wanted
from worker.scrub import Pace, scrub
from worker.upkeep import Upkeep, UpkeepTerms, upkeep

AT_ONCE = RetentionSection(
    delivered_days=1e-9, refused_days=1e-9, derived_days=1e-9, previews_days=1e-9, quarantine_days=1e-9
)


def image(number: int = 0) -> Dataset:
    pixels = np.full((1024, 1024), 0.3, dtype=np.float32)
    pixels[number, number] = 0.7
    return wrap_radiograph(pixels)


def refused(context: WorkerContext, number: int = 0) -> Instance:
    receive(context, image(number), Verdict("NOT_CHEST", "found a knee"))
    with context.sessions() as session:
        return session.query(Instance).order_by(Instance.id.desc()).first()  # type: ignore[return-value]


def later(context: WorkerContext) -> WorkerContext:
    return replace(context, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))


def test_a_refused_image_is_removed_and_its_row_says_when(context: WorkerContext) -> None:
    row = refused(context)
    assert retain("retain-sources", "", later(context), AT_ONCE) is None
    assert not is_there(context.store, row.path)
    with context.sessions() as session:
        assert session.query(Instance).one().file_removed_at is not None


def test_a_crash_between_row_and_file_is_finished_by_reconciliation(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = refused(context)
    with monkeypatch.context() as crash:
        crash.setattr("worker.retention.remove_file", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            retain("retain-sources", "", later(context), AT_ONCE)
    assert is_there(context.store, row.path)
    walk_all_folders(context)
    assert not is_there(context.store, row.path)
    assert list(set_aside_files(context.store)) == []


def walk_all_folders(context: WorkerContext, grace_s: float = 3600.0) -> None:
    position: str | None = ""
    while position is not None:
        position = orphans(position, context, grace_s=grace_s)


def test_a_file_that_no_row_names_is_set_aside_once_it_is_old(context: WorkerContext) -> None:
    refused(context)
    orphan = context.store.keep(Kind.SOURCE, [b"received, and then the power failed"])
    walk_all_folders(context)
    assert is_there(context.store, orphan.path)
    os.utime(context.store.resolve(orphan.path), (1, 1))
    walk_all_folders(context)
    assert not is_there(context.store, orphan.path)
    [aside] = set_aside_files(context.store)
    assert aside.read_bytes() == b"received, and then the power failed"


def test_with_an_empty_registry_nothing_is_moved(context: WorkerContext) -> None:
    orphan = context.store.keep(Kind.SOURCE, [b"of another registry"])
    os.utime(context.store.resolve(orphan.path), (1, 1))
    with pytest.raises(StoreDoesNotMatchError, match="STORE_WITHOUT_RECORDS"):
        walk_all_folders(context)
    assert is_there(context.store, orphan.path)


def test_with_an_empty_store_no_image_is_called_lost(context: WorkerContext) -> None:
    for number in range(20):
        refused(context, number)
    empty = replace(context, store=InstanceStore(context.store.root.parent / "not-mounted", 0))
    with pytest.raises(StoreDoesNotMatchError, match="STORE_EMPTY"):
        missing(Table.SOURCE, "", empty)


def test_a_lost_file_fails_its_waiting_job_before_a_worker_needs_it(context: WorkerContext) -> None:
    job_id = queue_job(context, image())
    with context.sessions() as session:
        path = session.query(Instance).one().path
    context.store.resolve(path).unlink()
    assert missing(Table.SOURCE, "", context) is None
    with context.sessions() as session:
        job = session.get(Job, job_id)
        assert job is not None
        assert (job.state, job.reason_code) == (JobState.FAILED, "STORED_FILE_MISSING")


def test_where_the_lost_file_was_preferred_the_other_object_of_its_exposure_gets_its_turn(
    context: WorkerContext,
) -> None:
    raw, presented = image(1), image(2)
    raw.SOPClassUID, presented.StudyInstanceUID = FOR_PROCESSING, raw.StudyInstanceUID
    waiting, preferred = queue_job(context, raw), queue_job(context, presented)
    with context.sessions.begin() as session:
        session.execute(update(Instance).values(irradiation_event_uid="2.25.7"))
        assert jobs.withdraw(session, waiting, code=FOR_PRESENTATION_PREFERRED, detail="", now=context.clock())
        [path] = session.scalars(
            select(Instance.path).where(Instance.sop_instance_uid == presented.SOPInstanceUID)
        ).all()
    context.store.resolve(path).unlink()
    missing(Table.SOURCE, "", context)
    with context.sessions() as session:
        assert (job := session.get(Job, preferred)) is not None
        assert job.state is JobState.FAILED
        assert (job := session.get(Job, waiting)) is not None
        assert job.state is JobState.QUEUED


def test_a_lost_file_comes_back_from_lost_and_found(context: WorkerContext) -> None:
    row = refused(context)
    aside = context.store.root / "lost+found" / row.path
    aside.parent.mkdir(parents=True)
    context.store.resolve(row.path).rename(aside)
    missing(Table.SOURCE, "", context)
    assert context.store.read(row.path, row.sha256)


def test_bit_rot_is_found_and_its_cure_as_well(context: WorkerContext) -> None:
    row = refused(context)
    whole = context.store.resolve(row.path).read_bytes()
    context.store.resolve(row.path).write_bytes(whole[:-1] + b"\1")

    def fault() -> str | None:
        assert scrub(Table.SOURCE, "", context, Pace(1e12, threading.Event()), 60.0) is None
        with context.sessions() as session:
            return session.query(Instance).one().file_fault

    assert fault() == "STORED_FILE_ALTERED"
    context.store.resolve(row.path).write_bytes(whole)
    assert fault() is None


def test_reading_again_keeps_its_pace_and_goes_on_where_it_stopped(context: WorkerContext) -> None:
    rows = [refused(context, number) for number in range(3)]
    waited: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return False

    pace = Pace(1024 * 1024, Stop(), clock=lambda: sum(waited))
    position = scrub(Table.SOURCE, "", context, pace, most_s=3.0)
    assert position == str(rows[1].id)
    assert sum(waited) == pytest.approx(2 * rows[0].size_bytes / 1024 / 1024, rel=0.01)
    assert scrub(Table.SOURCE, position, context, Pace(1e12, threading.Event()), 60.0) is None


def test_an_image_that_comes_again_while_its_file_is_removed_keeps_it(context: WorkerContext, tmp_path: Path) -> None:
    """Reception and retention of the same bytes, at once, many times: what was acknowledged last is there."""
    (tmp_path / "node").mkdir()
    with installation(tmp_path / "node") as installed:
        received = as_received(
            chest_radiograph(pixels=chest(1100, 1100), BodyPartExamined="HAND", remove=("AnatomicRegionSequence",))
        )
        both = replace(later(context), sessions=installed.sessions, store=installed.intake.store)
        installed.intake.receive(received)
        row = installed.instances()[0]
        for _ in range(15):
            with installed.sessions.begin() as session:  # of long ago again
                session.execute(update(Instance).values(file_returned_at=None))
            with ThreadPoolExecutor(2) as threads:
                removing = threads.submit(retain, "retain-sources", "", both, AT_ONCE)
                arriving = threads.submit(installed.intake.receive, received)
                removing.result()
                arriving.result()
            [now] = installed.instances()
            # Either the removal came last, and the row says so, or the file is there.
            assert is_there(installed.intake.store, row.path) == (now.file_removed_at is None)


def test_bytes_that_are_about_to_be_named_again_are_not_removed_for_an_older_row(
    context: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node").mkdir()
    with installation(tmp_path / "node") as installed:
        received = as_received(chest_radiograph(pixels=chest(1100, 1100)))
        both = replace(context, sessions=installed.sessions, store=installed.intake.store)
        installed.intake.receive(received)
        [row] = installed.instances()
        with installed.sessions.begin() as session:
            session.execute(update(Instance).values(file_removed_at=datetime.now(UTC)))
        removing: list[threading.Thread] = []
        record = type(installed.intake)._record

        def slow(self, *arguments):  # type: ignore[no-untyped-def]
            """The file is there, its row not yet committed: now retention comes to unlink it."""
            unlink = threading.Thread(
                target=lambda: remove_file(installed.intake.store, row.path, lambda: wanted(both, row.path))
            )
            unlink.start()
            unlink.join(0.3)
            removing.append(unlink)
            return record(self, *arguments)

        monkeypatch.setattr(type(installed.intake), "_record", slow)
        installed.intake.receive(received)
        removing[0].join(10)
        assert not removing[0].is_alive()
        assert installed.instances()[0].file_removed_at is None
        assert is_there(installed.intake.store, row.path)


def test_a_full_disk_costs_a_job_no_attempt(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = queue_job(context, image())
    context.store.space.marks = DiskMarks(0)

    def full(_: int) -> None:
        raise StoreFullError("DISK_FULL", "expected 6 bytes free, found 0")

    with monkeypatch.context() as no_room:
        no_room.setattr(context.store.space, "require_any", full)
        for number in range(context.inference_retries.max_attempts + 2):
            at = datetime.now(UTC) + timedelta(hours=number)
            assert not infer(job_id, replace(context, clock=lambda at=at: at), host())  # type: ignore[misc]
    with context.sessions() as session:
        job = session.get(Job, job_id)
        assert job is not None
        assert (job.state, job.reason_code, job.attempts) == (JobState.QUEUED, "DISK_FULL", 0)


def host() -> infer_module.ModelHost:
    return DirectHost(ConstantSuppressor(residual=0.05))  # type: ignore[return-value]


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_a_retry_computes_again_what_was_lost_under_the_same_uid(context: WorkerContext, harm: str) -> None:
    with context.sessions.begin() as session:
        remote_nodes.add_remote_node(
            session,
            name="pacs",
            ae_title="PACS",
            host="127.0.0.1",
            port=1,
            may_send=False,
            receives_results=True,
            now=context.clock(),
        )
    job_id = queue_job(context, wrap_radiograph(phantom(1024).radiograph))
    assert infer(job_id, context, host())
    with context.sessions() as session:
        former = session.query(Result).one()
        [delivery_id] = delivery_queue.pending_deliveries(session, job_id, now=context.clock())
        session.commit()
    place = context.store.resolve(former.path)
    place.unlink() if harm == "missing" else place.write_bytes(b"rotten")
    assert not deliver(delivery_id, context)
    with context.sessions() as session:
        assert session.get(Job, job_id).state is JobState.FAILED  # type: ignore[union-attr]
    state = retry_job(context.sessions, context.store, job_id, now=context.clock(), routing=Routing())
    assert state is JobState.QUEUED
    assert infer(job_id, context, host())
    with context.sessions() as session:
        again = session.query(Result).one()
        assert again.sop_instance_uid == former.sop_instance_uid
        assert context.store.read(again.path, again.sha256)
        assert delivery_queue.pending_deliveries(session, job_id, now=context.clock()) == [delivery_id]
        assert isinstance(
            deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=30.0, now=context.clock()),
            deliveries.DeliveryClaim,
        )


def test_a_walk_in_hand_is_given_back_when_the_worker_stops(context: WorkerContext) -> None:
    for number in range(3):
        refused(context, number)
    terms = UpkeepTerms(RetentionSection(), scrub_rate=1, broker_folder=None)  # a byte a second: a file takes weeks
    keeping = Upkeep(context, terms, interval_s=0.01)
    wait_for("a walk in hand", lambda: lease_of(context, "scrub-source"), within_s=20, pause_s=0.02)
    assert keeping.stop(within_s=10.0)
    assert lease_of(context, "scrub-source") is None


def lease_of(context: WorkerContext, name: str) -> str | None:
    with context.sessions() as session:
        return session.scalar(select(UpkeepTask.lease_owner).where(UpkeepTask.name == name))


def test_one_walk_that_fails_holds_up_no_other(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    row = refused(context)
    monkeypatch.setattr("worker.upkeep.orphans", lambda *_, **__: 1 / 0)
    terms = UpkeepTerms(AT_ONCE, scrub_rate=1 << 40, broker_folder=None)
    upkeep(later(context), terms, threading.Event(), scrub_s=5.0)
    assert not is_there(context.store, row.path)
    with context.sessions() as session:
        tasks = {task.name: task for task in read_tasks(session)}
    assert tasks["orphans"].lap_ended_at is None
    assert tasks["scrub-source"].lap_ended_at is not None


def test_a_walk_is_in_the_hands_of_one_process(context: WorkerContext) -> None:
    now = context.clock()
    with context.sessions.begin() as session:
        first = claim_task(session, "walk", owner="one", lease_s=60.0, now=now)
    assert first is not None
    with context.sessions.begin() as session:
        assert claim_task(session, "walk", owner="two", lease_s=60.0, now=now) is None
        second = claim_task(session, "walk", owner="two", lease_s=60.0, now=now + timedelta(seconds=61))
    assert second is not None
    with context.sessions.begin() as session:
        assert not pass_ended(session, first, "7", now=now)
        assert pass_ended(session, second, "9", now=now)
        third = claim_task(session, "walk", owner="one", lease_s=60.0, now=now)
    assert third is not None
    assert third.position == "9"
