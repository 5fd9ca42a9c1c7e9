"""The workers are stopped in the middle of their work: it ends, or is handed back without the loss of an attempt.

The lease is ten minutes in all of these: whatever is due again at once was handed back, and did not wait for it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from dicom_node.derived import DerivedPolicy
from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.stored_instance import read_stored_instance
from service.instance_store import InstanceStore
from service.registry import queries
from service.registry.job_states import DeliveryState, JobState
from tests.end_to_end.stopped_process import AT_ONCE_S, SOON_S, Stopped, ask, ended, log_of, stop_at_once
from tests.radiographs import phantom_file
from tests.service_process import Service, installation, wait_for
from tests.worker.conftest import ConstantSuppressor, DirectHost, RecordingQueue, queue_job
from worker.context import RetryPolicy, WorkerContext
from worker.infer import infer

LONG_LEASE = {"LEASE_S": "600"}
ENDLESS_SAMPLING = {"MODEL": "bs-ldm-lite", "STEPS": "500"}


def in_process(service: Service) -> WorkerContext:
    """A worker's surroundings over the installation, for what is to be there before the process starts."""
    return WorkerContext(
        sessions=service.sessions,
        store=InstanceStore(service.settings.instances_dir, 0),
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


def queued(service: Service, folder: Path) -> str:
    return queue_job(in_process(service), read_stored_instance(phantom_file(folder).read_bytes()))


def derived(service: Service, folder: Path) -> str:
    job_id = queued(service, folder)
    assert infer(job_id, in_process(service), DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    return job_id


def deliveries_of(service: Service, job_id: str) -> list[queries.DeliveryDetail]:
    return list(service.detail(job_id).deliveries)


def events_of(service: Service, job_id: str) -> list[str]:
    return [event.event for event in service.detail(job_id).events]


def test_a_gpu_worker_in_mid_sampling_hands_the_job_back_and_another_has_it_at_once(tmp_path: Path) -> None:
    settings = LONG_LEASE | ENDLESS_SAMPLING | {"STOP_WITHIN_S": "4"}
    with installation(tmp_path / "softray", **settings) as service:
        job_id = queued(service, tmp_path)
        service.start("gpu", "network")  # the network worker sweeps, which is what announces the job
        wait_for("the sampling", lambda: service.jobs(JobState.RUNNING) and service.jobs()[0].step > 0, 60, 0.02)
        stopped = ended(service, "gpu", ask(service, "gpu"), 10)
        # At the bound, not when the sampling ends: that takes for ever. A busy machine takes a while to end a process.
        assert (stopped.exit_code, stopped.after_s < 4.0 + AT_ONCE_S) == (0, True), stopped
        [job] = service.jobs()
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        assert "handed_back" in events_of(service, job_id)
        # And once more, with two signals: the row is left as it is, for the lease to run out.
        service.start("gpu")
        wait_for("the sampling", lambda: service.jobs(JobState.RUNNING) and service.jobs()[0].step > 0, 60, 0.02)
        stopped = stop_at_once(service, "gpu")
        assert (stopped.exit_code, stopped.after_s < AT_ONCE_S) == (128 + signal.SIGTERM, True), stopped
        [job] = service.jobs()
        assert (job.state, job.attempts) == (JobState.RUNNING, 1)


def test_a_worker_that_is_still_loading_its_model_ends_at_once(tmp_path: Path) -> None:
    with installation(tmp_path / "softray") as service:
        service.start("gpu")
        time.sleep(2.0)
        assert "worker_ready" not in log_of(service, "gpu")
        stopped = ended(service, "gpu", ask(service, "gpu"), 10)
        # Before it has loaded the code that listens for signals, a signal does what it does to any process.
        assert stopped.exit_code in (0, -signal.SIGTERM)
        assert stopped.after_s < AT_ONCE_S


def test_a_delivery_under_way_ends_before_the_network_worker_does(tmp_path: Path) -> None:
    with SlowPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray", **LONG_LEASE) as service:
        job_id = derived(service, tmp_path)
        service.add_node("pacs", pacs.ae_title, pacs.port, may_send=False, receives_results=True)
        service.start("network")
        assert pacs.asked.wait(30)
        asked_at = ask(service, "network")
        wait_for("the worker to stop", lambda: "stop_requested" in log_of(service, "network"), 5)
        time.sleep(0.5)
        pacs.go_on.set()
        stopped = ended(service, "network", asked_at, 25)
        assert (stopped.exit_code, stopped.after_s < SOON_S) == (0, True), stopped
        assert [delivery.state for delivery in deliveries_of(service, job_id)] == [DeliveryState.SENT]
        assert len(pacs.files()) == 1


def test_a_delivery_to_a_pacs_that_does_not_answer_is_handed_back_at_the_bound(tmp_path: Path) -> None:
    settings = LONG_LEASE | {"STOP_WITHIN_S": "3"}
    with SlowPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray", **settings) as service:
        job_id = derived(service, tmp_path)
        service.add_node("pacs", pacs.ae_title, pacs.port, may_send=False, receives_results=True)
        service.start("network")
        assert pacs.asked.wait(30)
        stopped = ended(service, "network", ask(service, "network"), 10)
        assert (stopped.exit_code, stopped.after_s <= 3.5) == (0, True), stopped
        [delivery] = deliveries_of(service, job_id)
        assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
        # What the PACS took without our knowing comes again under the same UID, and the job is delivered once.
        pacs.go_on.set()
        service.start("network")
        wait_for("the delivery", lambda: deliveries_of(service, job_id)[0].state is DeliveryState.SENT, 20)
        assert len(pacs.files()) == 1
        assert quick_end(service, "network").exit_code == 0


def test_everything_stops_with_its_supervisor_once_and_at_once(tmp_path: Path) -> None:
    with installation(tmp_path / "softray") as service:
        service.start("up")
        wait_for("every part", lambda: log_of(service, "up").count("worker_ready") == 2, 60)
        first = ended(service, "up", ask(service, "up"), 25)
        log = log_of(service, "up")
        assert first.exit_code == 0
        assert first.after_s < SOON_S
        assert [line.split("exit_code=")[1].split()[0] for line in log.splitlines() if "part_stopped" in line] == [
            "0"
        ] * 4
        ready = log_of(service, "up").count("worker_ready")
        service.start("up")  # parts that are still starting would all be gone before a second signal comes
        wait_for("every part again", lambda: log_of(service, "up").count("worker_ready") == ready + 2, 60)
        freeze_parts(service)  # or they might be gone by themselves before the second signal comes
        second = stop_at_once(service, "up")
        assert (second.exit_code, second.after_s < AT_ONCE_S) == (128 + signal.SIGTERM, True), second


def freeze_parts(service: Service) -> None:
    """No part of `softray up` hears anything any more."""
    supervisor = service.processes["up"].pid
    parts = Path(f"/proc/{supervisor}/task").glob("*/children")
    frozen = [int(pid) for listed in parts for pid in listed.read_text().split()]
    assert len(frozen) == 4
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)


def quick_end(service: Service, part: str) -> Stopped:
    return ended(service, part, ask(service, part), 10)


class SlowPacs(StandInPacs):
    """Says nothing to its first C-STORE until it is told to go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, answer=self._wait)
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def _wait(self, uid: str) -> int:
        del uid
        self.asked.set()
        self.go_on.wait(60)
        return 0x0000
