"""Sending to a peer: what each answer means, and that the bytes on disk are what arrives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.compression import compressed
from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.store_scu import Outcome, Peer, StoreResult, echo, send
from service.errors import PermanentError
from tests.dicom_node.factories import radiograph
from tests.peers.dcmtk import StoreScp

SMALL = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)


def instance(folder: Path, number: int = 1, **overrides: object) -> Path:
    dataset = radiograph(pixels=SMALL, SOPInstanceUID=f"1.2.826.0.{number}", **overrides)  # type: ignore[arg-type]
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = folder / f"{number}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def data_set_of(path: Path) -> bytes:
    content = path.read_bytes()
    meta = pydicom.filereader.read_file_meta_info(path)
    return content[144 + meta.FileMetaInformationGroupLength :]


def peer_of(pacs: StandInPacs) -> Peer:
    return Peer(pacs.ae_title, pacs.host, pacs.port)


def send_all(paths: list[Path], peer: Peer, timeout_s: float = 5) -> list[StoreResult]:
    return send(paths, peer, calling_ae_title="SOFTRAY", timeout_s=timeout_s)


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[StandInPacs]:
    with StandInPacs(tmp_path / "pacs") as running:
        yield running


def test_the_data_set_arrives_byte_for_byte(pacs: StandInPacs, tmp_path: Path) -> None:
    path = instance(tmp_path)
    [result] = send_all([path], peer_of(pacs))
    assert result == StoreResult("1.2.826.0.1", Outcome.SENT, 0x0000, "STORED", "0x0000 stored")
    [arrived] = pacs.files()
    assert data_set_of(arrived) == data_set_of(path)


def test_a_compressed_instance_arrives_compressed(pacs: StandInPacs, tmp_path: Path) -> None:
    path = instance(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.save_as(path)
    [result] = send_all([path], peer_of(pacs))
    assert result.outcome is Outcome.SENT
    [arrived] = pacs.files()
    assert pydicom.dcmread(arrived).file_meta.TransferSyntaxUID == JPEGLSLossless
    assert data_set_of(arrived) == data_set_of(path)


def test_a_peer_that_takes_implicit_vr_only_gets_implicit_vr(tmp_path: Path) -> None:
    path = instance(tmp_path)
    with StandInPacs(tmp_path / "pacs", transfer_syntaxes=[ImplicitVRLittleEndian]) as pacs:
        [result] = send_all([path], peer_of(pacs))
        assert result.outcome is Outcome.SENT
        arrived = pydicom.dcmread(pacs.files()[0])
    assert arrived.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert arrived.PixelData == pydicom.dcmread(path).PixelData
    assert arrived == pydicom.dcmread(path)


@pytest.mark.parametrize("compression", ["jpeg-ls", "jpeg-2000"])
@pytest.mark.parametrize("taken", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_peer_that_takes_no_compression_gets_the_same_pixels_without(
    tmp_path: Path, compression: str, taken: UID
) -> None:
    path = instance(tmp_path)
    plain = pydicom.dcmread(path)
    compressed(plain, compression).save_as(path)
    with StandInPacs(tmp_path / "pacs", transfer_syntaxes=[taken]) as pacs:
        [result] = send_all([path], peer_of(pacs))
        assert result.outcome is Outcome.SENT
        arrived = pydicom.dcmread(pacs.files()[0])
    assert (arrived.SOPInstanceUID, arrived.file_meta.TransferSyntaxUID) == (plain.SOPInstanceUID, taken)
    assert arrived.PixelData == plain.PixelData
    assert data_set_of(path) != data_set_of(pacs.files()[0])


def test_a_compressed_instance_that_the_peer_cannot_take_is_refused(tmp_path: Path) -> None:
    path = instance(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    with StandInPacs(tmp_path / "pacs", transfer_syntaxes=[ExplicitVRLittleEndian]) as pacs:
        [result] = send_all([path], peer_of(pacs))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "TRANSFER_SYNTAX_NOT_ACCEPTED")


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (0xB000, Outcome.SENT, "STORED_WITH_WARNING"),
        (0xB006, Outcome.SENT, "STORED_WITH_WARNING"),
        (0xB007, Outcome.SENT, "STORED_WITH_WARNING"),
        (0x0111, Outcome.SENT, "ALREADY_STORED"),
        (0xA700, Outcome.RETRY, "OUT_OF_RESOURCES"),
        (0x0110, Outcome.RETRY, "PROCESSING_FAILURE"),
        (0xA900, Outcome.REFUSED, "DATA_SET_MISMATCH"),
        (0xC123, Outcome.REFUSED, "CANNOT_UNDERSTAND"),
        (0x0122, Outcome.REFUSED, "SOP_CLASS_NOT_SUPPORTED"),
        (0x0124, Outcome.REFUSED, "NOT_AUTHORISED"),
    ],
)
def test_the_answer_decides_what_comes_next(
    pacs: StandInPacs, tmp_path: Path, status: int, outcome: Outcome, code: str
) -> None:
    pacs.answer = lambda _: status
    [result] = send_all([instance(tmp_path)], peer_of(pacs))
    assert (result.status, result.outcome, result.code) == (status, outcome, code)


def test_each_instance_of_a_batch_has_its_own_result_in_order(pacs: StandInPacs, tmp_path: Path) -> None:
    answers = {"1.2.826.0.1": 0x0000, "1.2.826.0.2": 0xA700, "1.2.826.0.3": 0xC000, "1.2.826.0.4": 0x0000}
    pacs.answer = answers.__getitem__
    paths = [instance(tmp_path, number) for number in (1, 2, 3, 4)]
    unreadable = tmp_path / "notes.txt"
    unreadable.write_text("not DICOM")
    results = send_all([paths[0], unreadable, *paths[1:]], peer_of(pacs))
    assert [result.outcome for result in results] == [
        Outcome.SENT,
        Outcome.REFUSED,
        Outcome.RETRY,
        Outcome.REFUSED,
        Outcome.SENT,
    ]
    assert results[1].code == "FILE_UNREADABLE"
    assert len(pacs.files()) == 2


def test_a_batch_goes_over_one_association(pacs: StandInPacs, tmp_path: Path) -> None:
    associations: set[int] = set()
    pacs.answer = lambda _: associations.add(threading.get_ident()) or 0x0000  # type: ignore[func-returns-value]
    send_all([instance(tmp_path, number) for number in range(1, 6)], peer_of(pacs))
    assert len(associations) == 1


def test_a_peer_that_is_down_is_tried_again_later(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    results = send_all([instance(tmp_path, 1), instance(tmp_path, 2)], Peer("PACS", "127.0.0.1", port))
    assert [(result.outcome, result.code) for result in results] == [(Outcome.RETRY, "CONNECTION_FAILED")] * 2


def test_a_host_name_that_does_not_resolve_is_tried_again_later(tmp_path: Path) -> None:
    [result] = send_all([instance(tmp_path)], Peer("PACS", "no-such-host.invalid", 104))
    assert (result.outcome, result.code) == (Outcome.RETRY, "CONNECTION_FAILED")


@pytest.mark.parametrize("wrong", [{"ae_title": "OTHER"}, {"allowed_callers": ["SOMEBODY"]}])
def test_a_rejected_association_is_tried_again_later(tmp_path: Path, wrong: dict[str, object]) -> None:
    with StandInPacs(tmp_path / "pacs", **wrong) as pacs:  # type: ignore[arg-type]
        [result] = send_all([instance(tmp_path)], Peer("PACS", pacs.host, pacs.port))
    assert (result.outcome, result.code) == (Outcome.RETRY, "ASSOCIATION_REJECTED")
    assert "not recognised" in result.detail.lower()


def test_a_sop_class_the_peer_does_not_take_is_refused(tmp_path: Path) -> None:
    paths = [instance(tmp_path, 1), instance(tmp_path, 2, SOPClassUID=ComputedRadiographyImageStorage)]
    dataset = pydicom.dcmread(paths[1])
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.save_as(paths[1])
    with StandInPacs(tmp_path / "pacs", sop_classes=[ComputedRadiographyImageStorage]) as pacs:
        results = send_all(paths, peer_of(pacs))
        alone = send_all(paths[:1], peer_of(pacs))
    assert [(r.outcome, r.code) for r in results] == [
        (Outcome.REFUSED, "SOP_CLASS_NOT_ACCEPTED"),
        (Outcome.SENT, "STORED"),
    ]
    assert [(r.outcome, r.code) for r in alone] == [(Outcome.REFUSED, "SOP_CLASS_NOT_ACCEPTED")]


def test_no_answer_within_the_timeout_is_tried_again_later(pacs: StandInPacs, tmp_path: Path) -> None:
    hold = threading.Event()
    pacs.answer = lambda _: (hold.wait(20) and 0x0000) or 0x0000
    results = send_all([instance(tmp_path, 1), instance(tmp_path, 2)], peer_of(pacs), timeout_s=0.5)
    hold.set()
    assert [(r.outcome, r.status, r.code) for r in results] == [
        (Outcome.RETRY, None, "NO_ANSWER"),
        (Outcome.RETRY, None, "ASSOCIATION_LOST"),
    ]


def test_a_peer_that_accepts_and_says_nothing_is_tried_again_later(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        [result] = send_all([instance(tmp_path)], Peer("PACS", "127.0.0.1", silent.getsockname()[1]), timeout_s=0.5)
    assert (result.outcome, result.code) == (Outcome.RETRY, "ASSOCIATION_FAILED")


def test_what_is_sent_twice_is_the_same_twice(pacs: StandInPacs, tmp_path: Path) -> None:
    path = instance(tmp_path)
    assert [r.outcome for r in send_all([path, path], peer_of(pacs))] == [Outcome.SENT] * 2
    assert len(pacs.files()) == 1
    assert len(pacs.answers()) == 2


def test_nothing_to_send_opens_no_association(tmp_path: Path) -> None:
    assert send_all([], Peer("PACS", "127.0.0.1", 1)) == []


def test_an_ae_title_that_cannot_be_one_is_said_so() -> None:
    with pytest.raises(PermanentError, match="AE_TITLE_INVALID"):
        Peer("AN AE TITLE THAT IS TOO LONG", "127.0.0.1", 104)


def test_the_comment_of_the_peer_is_not_repeated(tmp_path: Path) -> None:
    class Talking(StandInPacs):
        def _on_c_store(self, event: object) -> Dataset:  # type: ignore[override]
            status = Dataset()
            status.Status = 0xC000
            status.ErrorComment = "cannot store Doe^Jane"
            return status

    with Talking(tmp_path / "pacs") as pacs:
        [result] = send_all([instance(tmp_path)], peer_of(pacs))
    assert result.outcome is Outcome.REFUSED
    assert "Jane" not in result.detail


def test_echo_answers(pacs: StandInPacs) -> None:
    assert echo(peer_of(pacs), calling_ae_title="SOFTRAY").ok


@pytest.mark.parametrize(
    ("peer", "detail"),
    [
        (lambda pacs: Peer("OTHER", pacs.host, pacs.port), "not recognised"),
        (lambda pacs: Peer("PACS", pacs.host, 1), "cannot connect"),
    ],
)
def test_echo_says_what_happened_instead(pacs: StandInPacs, peer: Callable[[StandInPacs], Peer], detail: str) -> None:
    answer = echo(peer(pacs), calling_ae_title="SOFTRAY", timeout_s=2)
    assert not answer.ok
    assert detail in answer.detail


@pytest.mark.interop
def test_dcmtk_storescp_takes_what_is_sent(storescp: StoreScp, tmp_path: Path) -> None:
    path = instance(tmp_path)
    peer = Peer(storescp.ae_title, "127.0.0.1", storescp.port)
    assert echo(peer, calling_ae_title="SOFTRAY").ok
    assert [result.outcome for result in send_all([path], peer)] == [Outcome.SENT]
    [arrived] = storescp.folder.iterdir()
    assert pydicom.dcmread(arrived).PixelData == pydicom.dcmread(path).PixelData
