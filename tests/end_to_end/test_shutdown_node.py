"""The DICOM node is stopped while a real sender is in the middle of an image: once, and twice."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.dicom_node.factories import radiograph
from tests.end_to_end.held_link import held_link
from tests.end_to_end.stopped_process import AT_ONCE_S, ask, ended, log_of, stop_at_once
from tests.peers.dcmtk import Dcmtk
from tests.service_process import installation, wait_for

pytestmark = pytest.mark.interop


def images(folder: Path, count: int) -> list[Path]:
    """Radiographs of 5 MB, each of its own."""
    paths = [folder / f"{number}.dcm" for number in range(count)]
    for path in paths:
        radiograph().save_as(path, enforce_file_format=True)
    return paths


def storescu(port: int, paths: list[Path]) -> subprocess.Popen[str]:
    command = ["storescu", "-v", "-nh", "-aet", "MODALITY", "-aec", "SOFTRAY", "127.0.0.1", str(port)]
    return subprocess.Popen([*command, *map(str, paths)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def echo_output(port: int) -> str:
    command = ["echoscu", "-v", "-aet", "MODALITY", "-aec", "SOFTRAY", "127.0.0.1", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stderr


def test_sigterm_in_the_middle_of_an_image_answers_it_and_asks_to_come_back_with_the_next(
    tmp_path: Path, dcmtk: Dcmtk
) -> None:
    first, second = images(tmp_path, 2)
    with installation(tmp_path / "softray") as service:
        service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
        service.start("node")
        port = service.settings.dicom_port
        with held_link(port, after_bytes=2_000_000) as link:
            sender = storescu(link.port, [first, second])
            assert link.held.wait(30)
            asked_at = ask(service, "node")
            wait_for("the node to stop", lambda: "stop_requested" in log_of(service, "node"), 10)
            assert "Temporary Congestion" in echo_output(port)
            assert service.processes["node"].poll() is None
            link.go_on.set()
            output, _ = sender.communicate(timeout=30)
        stopped = ended(service, "node", asked_at, 25)
        assert "Received Store Response (Success)" in output
        assert "0xa700" in output.lower() or "OutOfResources" in output, output
        assert stopped.exit_code == 0
        [job] = service.jobs()
        assert job.sop_instance_uid in first.read_bytes().decode("latin-1")
        assert "node_stopped aborted_associations=0" in log_of(service, "node")


def test_a_second_signal_ends_the_node_at_once_and_nothing_half_is_kept(tmp_path: Path, dcmtk: Dcmtk) -> None:
    [image] = images(tmp_path, 1)
    with installation(tmp_path / "softray") as service:
        service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
        service.start("node")
        with held_link(service.settings.dicom_port, after_bytes=2_000_000) as link:
            sender = storescu(link.port, [image])
            assert link.held.wait(30)
            stopped = stop_at_once(service, "node", signal.SIGINT)
        output, _ = sender.communicate(timeout=30)
        assert "Success" not in output
        assert stopped.exit_code == 128 + signal.SIGINT
        assert stopped.after_s < AT_ONCE_S
        assert service.jobs() == []
