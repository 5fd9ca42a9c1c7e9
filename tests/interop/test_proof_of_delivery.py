"""Storage commitment, verification and pull with a real Orthanc, which reports over associations of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation

from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.commitment_registry import RegistryPromises
from dicom_node.derived import DerivedPolicy
from dicom_node.find_scu import Location, Presence, verify_presence
from dicom_node.pull_command import run_pull
from dicom_node.store_scu import Outcome, Peer
from dicom_node.store_scu import send as c_store
from service.database import transaction
from service.errors import PermanentError
from service.job_queue import JobQueue
from service.registry import deliveries, delivery_queue, jobs
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.job_states import DeliveryState, JobState
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.settings import Settings
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import Installation, RecordingQueue, installation, listening
from tests.peers.orthanc import Orthanc, running_orthanc
from tests.service.registry.factories import claimed, derived_facts, detail, facts, record, result_facts
from tests.service_process import wait_for
from worker.commit import follow_up
from worker.context import RetryPolicy, WorkerContext
from worker.promise import keep_promises

pytestmark = pytest.mark.interop

SMALL = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
STUDY = "1.2.826.0.1.10"


@dataclass
class Site:
    """Our node with its registry, and the worker's surroundings on the same registry."""

    installed: Installation
    node: Node
    context: WorkerContext

    def after(self, seconds: float) -> WorkerContext:
        return replace(self.context, clock=lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    def add(self, orthanc: Orthanc, *, verifies: bool = False) -> None:
        orthanc.know_modality("SOFTRAY", "SOFTRAY", self.node.port)
        with transaction(self.context.sessions) as session:
            add_remote_node(
                session,
                name="orthanc",
                ae_title=orthanc.ae_title,
                host="127.0.0.1",
                port=orthanc.dicom_port,
                may_send=True,
                receives_results=True,
                now=datetime.now(UTC),
                terms=DeliveryTerms(requests_commitment=True, verifies=verifies),
            )

    def result(self, path: Path) -> str:
        """A job whose result is the file at `path`, to be sent wherever results go."""
        dataset, now = pydicom.dcmread(path), datetime.now(UTC)
        result = result_facts(
            sop_class_uid=dataset.SOPClassUID,
            sop_instance_uid=dataset.SOPInstanceUID,
            series_instance_uid=dataset.SeriesInstanceUID,
        )
        with transaction(self.context.sessions) as session:
            job_id = record(session, facts(study_instance_uid=dataset.StudyInstanceUID), now=now).job_id
        assert job_id is not None
        claim = claimed(self.context.sessions, job_id, now=now)
        with transaction(self.context.sessions) as session:
            assert jobs.record_derived(session, claim, derived_facts(result), now=now)
        return job_id

    def mark_sent(self, job_id: str) -> None:
        now = datetime.now(UTC)
        with transaction(self.context.sessions) as session:
            [delivery_id] = delivery_queue.pending_deliveries(session, job_id, now=now)
            claim = deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=30, now=now)
            assert claim is not None
            assert deliveries.delivery_sent(session, claim, status=0, now=now)

    def states(self, job_id: str) -> tuple[JobState, DeliveryState]:
        found = detail(self.context.sessions, job_id)
        [delivery] = found.deliveries
        return found.summary.state, delivery.state

    def becomes(self, job_id: str, state: JobState) -> None:
        wait_for(f"the job to be {state}", lambda: self.states(job_id)[0] is state, 20)


def image(folder: Path, number: int, *, study: str = STUDY, date: str = "20260110", accession: str = "A1") -> Path:
    dataset = radiograph(
        pixels=SMALL,
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.1",
        SOPInstanceUID=f"{study}.1.{number}",
        StudyDate=date,
        AccessionNumber=accession,
        PatientID=study,
    )
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def store(orthanc: Orthanc, *paths: Path) -> None:
    peer = Peer(orthanc.ae_title, "127.0.0.1", orthanc.dicom_port)
    results = c_store(list(paths), peer, calling_ae_title="MODALITY", timeout_s=20)
    assert {result.outcome for result in results} == {Outcome.SENT}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    with installation(folder) as installed, listening(installed) as node:
        yield Site(installed, node, worker_context(installed))


def worker_context(installed: Installation) -> WorkerContext:
    """A worker on the same registry and store, in no mood to wait."""
    queue: JobQueue = RecordingQueue()  # type: ignore[assignment]
    return WorkerContext(
        sessions=installed.sessions,
        store=installed.intake.store,
        queue=queue,
        policy=DerivedPolicy(),
        inference_retries=RetryPolicy(3, 1, 2),
        delivery_retries=RetryPolicy(9, 1, 2),
        service_version="0",
        ae_title="SOFTRAY",
        seed=0,
        lease_s=30,
        deadline_s=60,
        network_timeout_s=10,
        commitment=CommitmentPolicy(wait_for_report_s=0.1, timeout_s=1000),
    )


def test_orthanc_commits_to_what_it_holds_over_a_new_association(site: Site, orthanc: Orthanc, tmp_path: Path) -> None:
    site.add(orthanc)
    path = image(tmp_path, 1)
    job_id = site.result(path)
    store(orthanc, path)
    site.mark_sent(job_id)
    follow_up(site.after(3))
    site.becomes(job_id, JobState.COMMITTED)
    assert site.states(job_id)[1] is DeliveryState.COMMITTED


def test_what_orthanc_does_not_hold_is_sent_again_and_committed_then(
    site: Site, orthanc: Orthanc, tmp_path: Path
) -> None:
    site.add(orthanc)
    path = image(tmp_path, 1)
    job_id = site.result(path)
    site.mark_sent(job_id)  # said to be there, but lost
    follow_up(site.after(3))
    site.becomes(job_id, JobState.DERIVED)
    [delivery] = detail(site.context.sessions, job_id).deliveries
    assert (delivery.state, delivery.reason_code) == (DeliveryState.PENDING, "NO_SUCH_INSTANCE")
    store(orthanc, path)
    site.mark_sent(job_id)
    follow_up(site.after(3))
    site.becomes(job_id, JobState.COMMITTED)


@pytest.mark.parametrize("verifies", [True, False])
def test_a_pacs_that_restarts_before_its_report_is_looked_at_or_asked_again(
    site: Site, tmp_path: Path, verifies: bool
) -> None:
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed")
    path = image(tmp_path, 1)
    with running_orthanc(tmp_path / "orthanc") as before:
        site.add(before, verifies=verifies)
        job_id = site.result(path)
        store(before, path)
        site.mark_sent(job_id)
        before.know_modality("SOFTRAY", "SOFTRAY", 9)  # its report will reach nobody
        follow_up(site.after(3))
    assert site.states(job_id) == (JobState.DELIVERED, DeliveryState.SENT)
    with running_orthanc(tmp_path / "orthanc", dicom_port=before.dicom_port) as again:
        again.know_modality("SOFTRAY", "SOFTRAY", site.node.port)
        for seconds in (2000, 2001):
            follow_up(site.after(seconds))
        site.becomes(job_id, JobState.COMMITTED)
    assert site.states(job_id)[1] is (DeliveryState.VERIFIED if verifies else DeliveryState.COMMITTED)


def test_orthanc_asks_us_to_commit_and_is_told_what_we_hold(tmp_path: Path, orthanc: Orthanc) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    with installation(folder) as installed:
        node = Node(
            NodeAddress("SOFTRAY", "127.0.0.1", 0),
            AssociationLimits(),
            installed.intake,
            promises=RegistryPromises(installed.sessions),
        )
        node.start()
        try:
            site = Site(installed, node, worker_context(installed))
            site.add(orthanc)
            store(orthanc, image(tmp_path, 1))
            orthanc.send("SOFTRAY", orthanc.instances())
            here, nowhere = f"{STUDY}.1.1", f"{STUDY}.1.2"
            dx = DigitalXRayImageStorageForPresentation
            transaction_uid = orthanc.ask_commitment("SOFTRAY", [(dx, here), (dx, nowhere)])
            assert keep_promises(site.context) == 1
            wait_for("the report", lambda: orthanc.commitment(transaction_uid)["Status"] != "Pending", 20)
            report = orthanc.commitment(transaction_uid)
        finally:
            node.stop(finish_s=0.5, refuse_s=0.2)
    assert report["Status"] == "Failure"
    assert [reference["SOPInstanceUID"] for reference in report["Success"]] == [here]
    assert [(failed["SOPInstanceUID"], failed["FailureReason"]) for failed in report["Failures"]] == [(nowhere, 0x0112)]


def test_orthanc_lists_what_it_holds(orthanc: Orthanc, tmp_path: Path) -> None:
    store(orthanc, image(tmp_path, 1))
    peer = Peer(orthanc.ae_title, "127.0.0.1", orthanc.dicom_port)
    asked = [Location(STUDY, f"{STUDY}.1", f"{STUDY}.1.{number}") for number in (1, 2)]
    answers = verify_presence(peer, asked, calling_ae_title="SOFTRAY")
    assert [answer.presence for answer in answers] == [Presence.PRESENT, Presence.ABSENT]


def pull(site: Site, orthanc: Orthanc, **criterion: str) -> None:
    folder = site.installed.intake.store.root.parent
    options: dict[str, str | None] = {"accession": None, "study": None, "dates": None}
    options |= {"modality": None, "move_to": None}
    run_pull(
        Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'registry.sqlite3'}"),
        ae_title=orthanc.ae_title,
        host="127.0.0.1",
        port=orthanc.dicom_port,
        dry_run=False,
        rate=60_000,
        limit=None,
        **(options | criterion),
    )


@pytest.mark.parametrize(
    "criterion", [{"study": STUDY}, {"accession": "A1"}, {"dates": "20260101-20260131", "modality": "DX"}]
)
def test_a_prior_is_pulled_from_orthanc(
    site: Site, orthanc: Orthanc, tmp_path: Path, criterion: dict[str, str]
) -> None:
    site.add(orthanc)
    other = image(tmp_path, 1, study="1.2.826.0.1.20", date="20240101", accession="A2")
    store(orthanc, image(tmp_path, 1), image(tmp_path, 2), other)
    pull(site, orthanc, **criterion)
    assert {row.sop_instance_uid for row in site.installed.instances()} == {f"{STUDY}.1.1", f"{STUDY}.1.2"}
    store(orthanc, image(tmp_path, 3))
    pull(site, orthanc, **criterion)
    assert len(site.installed.instances()) == 3


def test_an_orthanc_that_does_not_know_us_is_named(site: Site, orthanc: Orthanc, tmp_path: Path) -> None:
    site.add(orthanc)
    store(orthanc, image(tmp_path, 1))
    with pytest.raises(PermanentError) as nowhere:
        pull(site, orthanc, study=STUDY, move_to="NOBODY")
    orthanc.know_modality("SOFTRAY", "SOMEBODY", site.node.port)
    with pytest.raises(PermanentError) as stranger:
        pull(site, orthanc, study=STUDY)
    assert (nowhere.value.code, stranger.value.code) == ("NOT_ALL_ARRIVED", "NO_ANSWER")
    assert "does ORTHANC know NOBODY" in nowhere.value.message  # Orthanc answers 0xC000, not 0xA801
    assert "does it let SOFTRAY retrieve" in stranger.value.message
