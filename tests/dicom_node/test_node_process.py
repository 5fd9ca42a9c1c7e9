"""The node as a process of its own: started, signalled and killed as an operator or a container engine does it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation
from sqlalchemy import select

from dicom_node.store_scu import Outcome, Peer, echo, send
from dicom_node.stow_scu import store
from dicom_node.web_peer import WebPeer
from service.database import make_engine, make_session_factory, upgrade
from service.registry.remote_nodes import add_remote_node
from service.registry.tables import Instance, Job
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import MODALITY, as_received, associate, c_store_over
from tests.peers.process import free_port
from tests.service_process import wait_for


@dataclass
class NodeProcess:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def peer(self) -> Peer:
        return Peer("SOFTRAY", "127.0.0.1", self.port)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    ours = {"DATA_DIR": str(folder / "data"), "DICOM_HOST": "127.0.0.1", "MIN_FREE_BYTES": "0"} | settings
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SOFTRAY_")}
    return clean | {f"SOFTRAY_{name}": value for name, value in ours.items()}


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[NodeProcess]:
    port = free_port()
    log = folder / "node.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dicom_node"],
            env=environment(folder, DICOM_PORT=str(port), **settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    node = NodeProcess(process, port, log)
    try:
        deadline = time.monotonic() + 60
        while "node_listening" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, log.read_text()
        yield node
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    url = f"sqlite:///{tmp_path / 'data' / 'softray.sqlite3'}"
    upgrade(url)
    engine = make_engine(url)
    with make_session_factory(engine).begin() as session:
        add_remote_node(
            session, name="modality", ae_title=MODALITY, host="127.0.0.1", port=104, may_send=True,
            receives_results=False, now=datetime.now(UTC),
        )  # fmt: skip
    engine.dispose()
    return tmp_path


def rows(folder: Path) -> tuple[list[Instance], list[Job]]:
    engine = make_engine(f"sqlite:///{folder / 'data' / 'softray.sqlite3'}")
    with make_session_factory(engine)() as session:
        found = list(session.scalars(select(Instance))), list(session.scalars(select(Job)))
    engine.dispose()
    return found


def test_sigterm_ends_the_node_with_exit_code_0(folder: Path) -> None:
    with running(folder) as node:
        assert echo(node.peer, calling_ae_title=MODALITY).ok
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(timeout=10) == 0
        assert "node_stopped aborted_associations=0" in node.log.read_text()


def test_after_sigterm_an_open_association_is_asked_to_come_back_and_no_other_is_accepted(folder: Path) -> None:
    with running(folder) as node:
        association = associate(node.port, [DigitalXRayImageStorageForPresentation])
        node.process.send_signal(signal.SIGTERM)
        wait_for("the node to stop", lambda: "stop_requested" in node.log.read_text(), 5)
        refused = echo(node.peer, calling_ae_title=MODALITY, timeout_s=8)
        assert (refused.ok, refused.detail) == (False, "Rejected Transient: Temporary congestion")
        assert c_store_over(association, as_received(radiograph())).Status == 0xA700
        association.release()
        assert node.process.wait(timeout=10) == 0
        assert "node_stopped aborted_associations=0" in node.log.read_text()
    assert [len(found) for found in rows(folder)] == [0, 0]


def test_after_sigterm_an_association_that_says_nothing_is_aborted_after_two_seconds(folder: Path) -> None:
    with running(folder) as node:
        association = associate(node.port, [DigitalXRayImageStorageForPresentation])
        began = time.monotonic()
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(timeout=10) == 0
        assert time.monotonic() - began < 5
        assert "node_stopped aborted_associations=1" in node.log.read_text()
        wait_for("the sender to learn of it", lambda: association.is_aborted, 5)


def test_what_was_answered_success_survives_kill_9(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "radiograph.dcm"
    dataset = radiograph()
    dataset.save_as(path, enforce_file_format=True)
    with running(folder) as node:
        [result] = send([path], node.peer, calling_ae_title=MODALITY)
        node.process.kill()
    assert result.outcome is Outcome.SENT
    [instance], [job] = rows(folder)
    assert instance.sop_instance_uid == dataset.SOPInstanceUID
    assert (folder / "data" / "instances" / instance.path).is_file()
    with running(folder) as node:  # and sent again, it is the same instance
        [again] = send([path], node.peer, calling_ae_title=MODALITY)
    assert again.outcome is Outcome.SENT
    assert [job.id for job in rows(folder)[1]] == [job.id]


def test_the_node_starts_without_its_registry_and_asks_senders_to_come_back(tmp_path: Path) -> None:
    path = tmp_path / "radiograph.dcm"
    radiograph().save_as(path, enforce_file_format=True)
    nobody = f"postgresql://softray@127.0.0.1:{free_port()}/softray"
    with running(tmp_path, DATABASE_URL=nobody) as node:
        [result] = send([path], node.peer, calling_ae_title=MODALITY)
        assert (result.outcome, result.status) == (Outcome.RETRY, 0xA700)
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(timeout=10) == 0


def test_the_node_takes_stow_rs_beside_c_store_and_stops_both(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "radiograph.dcm"
    dataset = radiograph()
    dataset.save_as(path, enforce_file_format=True)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{MODALITY} {hashlib.sha256(b'token').hexdigest()}\n")
    stow_port = free_port()
    with running(folder, STOW_PORT=str(stow_port), STOW_TOKENS_FILE=str(tokens)) as node:
        [by_web] = store([path], WebPeer(f"http://127.0.0.1:{stow_port}", token="token"))
        [by_dimse] = send([path], node.peer, calling_ae_title=MODALITY)
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(timeout=10) == 0
        assert "stow_stopped" in node.log.read_text()
    assert (by_web.outcome, by_dimse.outcome) == (Outcome.SENT, Outcome.SENT)
    assert [len(found) for found in rows(folder)] == [1, 1]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"MAX_ASSOCIATIONS": "many"}, "INVALID_SETTING: SOFTRAY_MAX_ASSOCIATIONS"),
        ({}, "SCHEMA_NOT_CURRENT"),
    ],
)
def test_what_an_operator_must_change_is_one_sentence_and_exit_code_1(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dicom_node"],
        env=environment(tmp_path, DICOM_PORT=str(free_port()), **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert "Traceback" not in ended.stderr
