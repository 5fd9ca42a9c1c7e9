"""kill -9 at the worst moments: after the restart exactly one derived series arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.store_scu import Outcome, Peer, send
from service.registry.job_states import JobState
from tests.radiographs import phantom_file
from tests.service_process import Service, installation, wait_for

pytestmark = pytest.mark.slow


def send_as_modality(service: Service, path: Path) -> None:
    node = Peer(service.settings.ae_title, "127.0.0.1", service.settings.dicom_port)
    [result] = send([path], node, calling_ae_title="MODALITY", timeout_s=30)
    assert result.outcome is Outcome.SENT, result


def connect(service: Service, pacs: StandInPacs) -> None:
    service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
    service.add_node("pacs", pacs.ae_title, pacs.port, may_send=False, receives_results=True)


def assert_exactly_one_result(service: Service, pacs: StandInPacs) -> None:
    service.wait_for_job(JobState.DELIVERED)
    assert len(service.jobs()) == 1
    assert len(pacs.files()) == 1


def test_a_worker_killed_in_mid_sampling_costs_nothing_but_time(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray", **MANY_STEPS) as service:
        connect(service, pacs)
        service.start("node", "gpu", "network")
        send_as_modality(service, phantom_file(tmp_path))

        def sampling() -> bool:
            return any(job.state is JobState.RUNNING and 0 < job.step < job.total_steps for job in service.jobs())

        wait_for("the worker to be in mid-sampling", sampling, 120, pause_s=0.02)
        service.kill("gpu")
        assert [job.state for job in service.jobs()] == [JobState.RUNNING]
        service.start("gpu")
        assert_exactly_one_result(service, pacs)


def test_a_node_killed_right_after_success_loses_nothing(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray") as service:
        connect(service, pacs)
        service.start("node")
        send_as_modality(service, phantom_file(tmp_path))
        service.kill("node")
        # The broker's message may have died with the node: the sweeper finds the row.
        service.start("node", "gpu", "network")
        assert_exactly_one_result(service, pacs)


def test_a_broker_that_forgot_everything_loses_nothing(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray") as service:
        connect(service, pacs)
        service.start("node")
        send_as_modality(service, phantom_file(tmp_path))
        for message in (service.settings.data_dir / "broker").rglob("*.msg"):
            message.unlink()
        service.start("gpu", "network")
        assert_exactly_one_result(service, pacs)


def test_a_pacs_that_is_down_gets_the_result_when_it_is_back(tmp_path: Path) -> None:
    with installation(tmp_path / "softray") as service:
        with StandInPacs(tmp_path / "pacs") as reserved:
            port = reserved.port
        service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
        service.add_node("pacs", "STANDIN", port, may_send=False, receives_results=True)
        service.start("node", "gpu", "network")
        send_as_modality(service, phantom_file(tmp_path))
        service.wait_for_job(JobState.DERIVED)
        with StandInPacs(tmp_path / "pacs", ae_title="STANDIN", port=port) as pacs:
            assert_exactly_one_result(service, pacs)


MANY_STEPS = {"MODEL": "bs-ldm-lite", "STEPS": "20"}
