"""The stand-in PACS that demo and tests rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.store_scu import Outcome, Peer, echo, send
from tests.dicom_node.factories import radiograph
from tests.peers.dcmtk import Dcmtk

SMALL = np.zeros((64, 64), np.float32)


def instance(folder: Path, uid: str = "1.2.826.0.1", **overrides: object) -> Path:
    dataset = radiograph(pixels=SMALL, SOPInstanceUID=uid, **overrides)  # type: ignore[arg-type]
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    path = folder / "instance.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def send_one(pacs: StandInPacs, path: Path) -> Outcome:
    [result] = send([path], Peer(pacs.ae_title, pacs.host, pacs.port), calling_ae_title="SOFTRAY", timeout_s=5)
    return result.outcome


def test_it_keeps_what_it_receives_as_dicom_files(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        path = instance(tmp_path)
        assert send_one(pacs, path) is Outcome.SENT
        [kept] = pacs.wait_for(1, 5)
        assert kept == pacs.path_of("1.2.826.0.1")
        assert pacs.path_of("1.2.3") is None
        assert pydicom.dcmread(kept) == pydicom.dcmread(path)


def test_it_answers_as_told_and_keeps_only_what_it_calls_stored(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs", answer=lambda _: 0xA700) as pacs:
        path = instance(tmp_path)
        assert send_one(pacs, path) is Outcome.RETRY
        assert pacs.files() == []
        pacs.answer = lambda _: 0xB000
        assert send_one(pacs, path) is Outcome.SENT
        assert pacs.answers() == [("1.2.826.0.1", 0xA700), ("1.2.826.0.1", 0xB000)]
        assert len(pacs.files()) == 1


def test_the_first_file_under_a_uid_stays(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        send_one(pacs, instance(tmp_path, SeriesDescription="first"))
        send_one(pacs, instance(tmp_path, SeriesDescription="second"))
        [kept] = pacs.files()
        assert pydicom.dcmread(kept).SeriesDescription == "first"


def test_it_comes_back_on_the_same_port(tmp_path: Path) -> None:
    pacs = StandInPacs(tmp_path / "pacs")
    pacs.start()
    port = pacs.port
    pacs.stop()
    peer = Peer(pacs.ae_title, pacs.host, port)
    assert not echo(peer, calling_ae_title="SOFTRAY", timeout_s=2).ok
    with pacs:
        assert pacs.port == port
        assert echo(peer, calling_ae_title="SOFTRAY").ok


def test_waiting_in_vain_ends_at_the_timeout(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        assert pacs.wait_for(1, 0.1) == []


def test_a_uid_never_becomes_a_path(tmp_path: Path) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        assert pacs.path_of("../../etc/passwd") is None
        assert pacs._place("../../etc/passwd").parent == pacs.folder
        assert pacs._place("..").name == "unnamed.dcm"


@pytest.mark.interop
def test_dcmtk_sends_to_it(tmp_path: Path, dcmtk: Dcmtk) -> None:
    with StandInPacs(tmp_path / "pacs") as pacs:
        assert dcmtk.echoscu(pacs.port, called="PACS") == 0
        assert dcmtk.storescu(pacs.port, instance(tmp_path), called="PACS") == 0
        assert len(pacs.files()) == 1
