"""Sending by STOW-RS: what arrives is what lies on disk, and each answer decides what comes next."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node import stow_scu
from dicom_node.multipart_related import PartLimits, PartParser
from dicom_node.qido import find_instances
from dicom_node.status import Outcome
from dicom_node.store_scu import StoreResult
from dicom_node.stow_scu import store
from dicom_node.web_peer import WebPeer
from dicom_node.web_tokens import WebTokens
from service.instance_store import InstanceStore
from tests.dicom_node.running_node import installation
from tests.dicom_node.running_stow import TERMS, anonymous, stow_listening
from tests.dicom_node.scripted_web_peer import Asked, ScriptedPeer, scripted_peer
from tests.dicom_node.test_store_scu import data_set_of, instance
from tests.dicom_node.whole_parts import whole_parts
from tests.peers.orthanc import Orthanc

ONE, TWO, THREE = "1.2.826.0.1", "1.2.826.0.2", "1.2.826.0.3"


@pytest.fixture
def scripted() -> Iterator[ScriptedPeer]:
    with scripted_peer() as script:
        yield script


def module(
    stored: dict[str, int | None] | None = None, failed: dict[str, int] | None = None, other: tuple[int, ...] = ()
) -> bytes:
    """A Store Instances Response in DICOM JSON; warnings and failures by UID."""

    def item(uid: str, tag: str, reason: int | None) -> dict[str, object]:
        named: dict[str, object] = {"00081155": {"vr": "UI", "Value": [uid]}} if uid else {}
        return named | ({tag: {"vr": "US", "Value": [reason]}} if reason is not None else {})

    body = {
        "00081190": {"vr": "UR", "Value": ["http://pacs/studies/1"]},
        "00081199": {"vr": "SQ", "Value": [item(u, "00081196", w) for u, w in (stored or {}).items()]},
        "00081198": {"vr": "SQ", "Value": [item(u, "00081197", r) for u, r in (failed or {}).items()]},
        "0008119A": {"vr": "SQ", "Value": [item("", "00081197", r) for r in other]},
    }
    return json.dumps(body).encode()


def test_the_files_go_out_byte_for_byte_in_one_request_of_known_length(scripted: ScriptedPeer, tmp_path: Path) -> None:
    paths = [instance(tmp_path, 1), instance(tmp_path, 2)]
    scripted.says(200, module({ONE: None, TWO: None}))
    results = store(paths, scripted.peer)
    assert results == [StoreResult(uid, Outcome.SENT, 0, "STORED", "0x0000 stored") for uid in (ONE, TWO)]
    [asked] = scripted.asked
    assert (asked.method, asked.path) == ("POST", "/dicom-web/studies")
    assert asked.headers["accept"] == "application/dicom+json"
    assert "transfer-encoding" not in asked.headers
    parser = PartParser(asked.headers["content-type"].rpartition("boundary=")[2], PartLimits(9, 1 << 24, 1 << 24))
    assert [part.content for part in whole_parts(parser.feed(asked.body))] == [path.read_bytes() for path in paths]
    parser.finish()


@pytest.mark.parametrize(
    ("reason", "outcome", "code"),
    [
        (0xA700, Outcome.RETRY, "OUT_OF_RESOURCES"),
        (0x0110, Outcome.RETRY, "PROCESSING_FAILURE"),
        (0xA900, Outcome.REFUSED, "DATA_SET_MISMATCH"),
        (0xC122, Outcome.REFUSED, "CANNOT_UNDERSTAND"),
        (0x0122, Outcome.REFUSED, "SOP_CLASS_NOT_SUPPORTED"),
        (0x0124, Outcome.REFUSED, "NOT_AUTHORISED"),
        (0x0111, Outcome.SENT, "ALREADY_STORED"),
        (0x9999, Outcome.REFUSED, "UNKNOWN_STATUS"),
        (0x0000, Outcome.RETRY, "PROCESSING_FAILURE"),
    ],
)
@pytest.mark.parametrize("status", [409, 202, 503])
def test_a_failure_reason_means_what_it_means_for_c_store(
    scripted: ScriptedPeer, tmp_path: Path, reason: int, outcome: Outcome, code: str, status: int
) -> None:
    scripted.says(status, module(failed={ONE: reason}))
    [result] = store([instance(tmp_path)], scripted.peer)
    assert (result.outcome, result.status, result.code) == (outcome, reason, code)


def test_each_instance_has_its_own_result_in_order(scripted: ScriptedPeer, tmp_path: Path) -> None:
    unreadable = tmp_path / "notes.txt"
    unreadable.write_text("not DICOM")
    scripted.says(202, module({ONE: 0xB007}, {TWO: 0xA700}))
    paths = [instance(tmp_path, 1), unreadable, instance(tmp_path, 2), instance(tmp_path, 3)]
    assert [(r.sop_instance_uid, r.outcome, r.code) for r in store(paths, scripted.peer)] == [
        (ONE, Outcome.SENT, "STORED_WITH_WARNING"),
        ("", Outcome.REFUSED, "FILE_UNREADABLE"),
        (TWO, Outcome.RETRY, "OUT_OF_RESOURCES"),
        (THREE, Outcome.RETRY, "NOT_CONFIRMED"),
    ]


def test_an_instance_listed_as_stored_and_as_failed_counts_as_failed(scripted: ScriptedPeer, tmp_path: Path) -> None:
    scripted.says(202, module({ONE: None}, {ONE: 0xA700}))
    [result] = store([instance(tmp_path)], scripted.peer)
    assert result.outcome is Outcome.RETRY


def test_what_the_peer_could_not_name_is_the_one_that_was_sent_alone(scripted: ScriptedPeer, tmp_path: Path) -> None:
    scripted.says(409, module(other=(0xC000,)))
    [result] = store([instance(tmp_path)], scripted.peer)
    assert (result.outcome, result.status) == (Outcome.REFUSED, 0xC000)


@pytest.mark.parametrize("body", [b"", b"stored!", b"{}", b"[]", b'{"00081199": 3}', b"<html>ok</html>", b"\xff\xfe"])
def test_200_says_that_all_are_stored_even_without_a_list(scripted: ScriptedPeer, tmp_path: Path, body: bytes) -> None:
    scripted.says(200, body)
    [result] = store([instance(tmp_path)], scripted.peer)
    assert (result.outcome, result.status, result.code) == (Outcome.SENT, 0, "STORED")
    scripted.says(202, body)
    [result] = store([instance(tmp_path)], scripted.peer)
    assert (result.outcome, result.code) == (Outcome.RETRY, "NOT_CONFIRMED")


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (301, Outcome.RETRY, "HTTP_REDIRECTED"),
        (400, Outcome.REFUSED, "HTTP_REFUSED"),
        (401, Outcome.RETRY, "HTTP_NOT_AUTHORISED"),
        (403, Outcome.RETRY, "HTTP_NOT_AUTHORISED"),
        (404, Outcome.RETRY, "HTTP_NO_SUCH_SERVICE"),
        (409, Outcome.REFUSED, "HTTP_REFUSED"),
        (413, Outcome.REFUSED, "HTTP_TOO_LARGE"),
        (415, Outcome.REFUSED, "HTTP_NOT_SUPPORTED"),
        (429, Outcome.RETRY, "HTTP_BUSY"),
        (500, Outcome.RETRY, "HTTP_SERVER_ERROR"),
        (503, Outcome.RETRY, "HTTP_BUSY"),
    ],
)
def test_a_status_without_a_list_decides_what_comes_next(
    scripted: ScriptedPeer, tmp_path: Path, status: int, outcome: Outcome, code: str
) -> None:
    scripted.says(status, b"Doe^Jane was not stored", Location="http://127.0.0.1:1/elsewhere")
    [result] = store([instance(tmp_path)], scripted.peer)
    assert (result.outcome, result.status, result.code) == (outcome, None, code)
    assert f"HTTP {status}" in result.detail
    assert "Jane" not in result.detail
    assert len(scripted.asked) == 1


def test_a_request_refused_as_a_whole_is_sent_again_one_by_one(scripted: ScriptedPeer, tmp_path: Path) -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return (400, {}, b"") if TWO.encode() in asked.body else (200, {}, b"")

    scripted.answer = answer
    results = store([instance(tmp_path, n) for n in (1, 2, 3)], scripted.peer)
    assert [r.outcome for r in results] == [Outcome.SENT, Outcome.REFUSED, Outcome.SENT]
    assert len(scripted.asked) == 4


def test_an_answer_in_xml_is_read_as_well(scripted: ScriptedPeer, tmp_path: Path) -> None:
    def value(tag: str, vr: str, content: object) -> str:
        return f'<DicomAttribute tag="{tag}" vr="{vr}"><Value number="1">{content}</Value></DicomAttribute>'

    def item(uid: str, tag: str = "", reason: int = 0) -> str:
        more = value(tag, "US", reason) if tag else ""
        return f'<Item number="1">{value("00081155", "UI", uid)}{more}</Item>'

    scripted.says(
        202,
        (
            '<?xml version="1.0"?><NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'
            f'<DicomAttribute tag="00081199" vr="SQ">{item(ONE)}{item(TWO, "00081196", 0xB000)}</DicomAttribute>'
            f'<DicomAttribute tag="00081198" vr="SQ">{item(THREE, "00081197", 0xA700)}</DicomAttribute>'
            "</NativeDicomModel>"
        ).encode(),
    )
    results = store([instance(tmp_path, n) for n in (1, 2, 3)], scripted.peer)
    assert [(r.outcome, r.status) for r in results] == [
        (Outcome.SENT, 0),
        (Outcome.SENT, 0xB000),
        (Outcome.RETRY, 0xA700),
    ]


def test_an_answer_that_unfolds_or_has_no_end_says_nothing(
    scripted: ScriptedPeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><NativeDicomModel>&a;</NativeDicomModel>'
    scripted.says(202, bomb)
    assert store([instance(tmp_path)], scripted.peer)[0].code == "NOT_CONFIRMED"
    monkeypatch.setattr(stow_scu, "MAX_ANSWER_BYTES", 1000)
    scripted.says(202, module({ONE: None}) + b" " * 1000)
    assert store([instance(tmp_path)], scripted.peer)[0].code == "NOT_CONFIRMED"


def test_no_answer_within_the_timeout_is_tried_again_later(scripted: ScriptedPeer, tmp_path: Path) -> None:
    def late(_: Asked) -> tuple[int, dict[str, str], bytes]:
        time.sleep(1)
        return 200, {}, b""

    scripted.answer = late
    results = store([instance(tmp_path, 1), instance(tmp_path, 2)], scripted.peer, timeout_s=0.3)
    assert [(r.outcome, r.status, r.code) for r in results] == [(Outcome.RETRY, None, "NO_ANSWER")] * 2


def test_a_peer_that_is_down_or_not_found_is_tried_again_later(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid/dicom-web"):
        results = store([instance(tmp_path, 1), instance(tmp_path, 2)], WebPeer(url), timeout_s=5)
        assert [(r.outcome, r.code) for r in results] == [(Outcome.RETRY, "CONNECTION_FAILED")] * 2


def test_a_peer_that_hangs_up_while_it_is_sent_to_is_tried_again_later(tmp_path: Path) -> None:
    large = instance(tmp_path)
    large.write_bytes(large.read_bytes() + b"\0" * 8_000_000)
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()
        rude.settimeout(5)
        thread = threading.Thread(target=lambda: rude.accept()[0].close())
        thread.start()
        [result] = store([large], WebPeer(f"http://127.0.0.1:{rude.getsockname()[1]}"), timeout_s=3)
        thread.join()
    assert (result.outcome, result.code) == (Outcome.RETRY, "CONNECTION_FAILED")


def test_the_token_goes_out_and_nowhere_else(
    scripted: ScriptedPeer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    peer = WebPeer(scripted.url, token="t0p-secret")
    scripted.says(401)
    [result] = store([instance(tmp_path)], peer)
    find_instances(peer, "1.2", [ONE])
    assert {asked.headers["authorization"] for asked in scripted.asked} == {"Bearer t0p-secret"}
    assert "t0p-secret" not in repr(peer) + repr(result) + caplog.text


def test_nothing_to_send_asks_nobody() -> None:
    assert store([], WebPeer("http://127.0.0.1:1")) == []


def test_our_own_server_takes_what_is_sent_and_says_what_it_does_not(tmp_path: Path) -> None:
    with installation(tmp_path) as installed:
        installed.add_caller("GATEWAY")
        tokens = WebTokens({hashlib.sha256(b"token").hexdigest(): "GATEWAY"})
        with stow_listening(installed, terms=replace(TERMS, tokens=tokens)) as stow:
            paths = [instance(tmp_path, 1), instance(tmp_path, 2, remove=("PatientID",))]
            results = store(paths, WebPeer(stow.url, token="token"))
            [nobody] = store(paths[:1], WebPeer(stow.url, token="another"))
            assert [r.outcome for r in results] == [Outcome.SENT, Outcome.REFUSED]
            assert (nobody.outcome, nobody.code) == (Outcome.RETRY, "HTTP_NOT_AUTHORISED")
        [kept] = installed.instances()
        assert data_set_of(installed.store_path(kept.path)) == data_set_of(paths[0])


def test_a_server_of_ours_that_is_full_asks_to_come_back(tmp_path: Path) -> None:
    with (
        installation(tmp_path) as installed,
        stow_listening(anonymous(installed), store=InstanceStore(tmp_path / "instances", 1 << 60)) as stow,
    ):
        [result] = store([instance(tmp_path)], WebPeer(stow.url))
    # Refused before the body is read, so it is HTTP's 503 and not a status of the one instance.
    assert (result.outcome, result.status, result.code) == (Outcome.RETRY, None, "HTTP_BUSY")


@pytest.mark.interop
def test_orthanc_takes_what_is_sent_and_is_found_to_have_it(dicomweb_orthanc: Orthanc, tmp_path: Path) -> None:
    paths = [instance(tmp_path, 1), instance(tmp_path, 2)]
    peer = WebPeer(dicomweb_orthanc.dicomweb_url)
    study = str(dcmread(paths[0]).StudyInstanceUID)
    assert find_instances(peer, study, [ONE]) == frozenset()
    assert [(r.outcome, r.status) for r in store(paths, peer)] == [(Outcome.SENT, 0)] * 2
    assert find_instances(peer, study, [ONE, TWO, THREE]) == {ONE, TWO}
    assert [r.outcome for r in store(paths[:1], peer)] == [Outcome.SENT]  # again
    [stored] = dicomweb_orthanc.find_instances(ONE)
    assert dicomweb_orthanc.download(stored) == paths[0].read_bytes()


@pytest.mark.interop
def test_orthanc_refuses_what_is_no_instance_and_keeps_the_others(dicomweb_orthanc: Orthanc, tmp_path: Path) -> None:
    damaged = instance(tmp_path, 1)
    damaged.write_bytes(damaged.read_bytes()[:500])
    results = store([damaged, instance(tmp_path, 2)], WebPeer(dicomweb_orthanc.dicomweb_url))
    assert results[0].outcome is not Outcome.SENT
    assert results[1].outcome is Outcome.SENT


@pytest.mark.interop
def test_orthanc_sends_by_stow_to_our_server(dicomweb_orthanc: Orthanc, tmp_path: Path) -> None:
    path = instance(tmp_path)
    assert store([path], WebPeer(dicomweb_orthanc.dicomweb_url))[0].outcome is Outcome.SENT
    with installation(tmp_path) as installed, stow_listening(anonymous(installed)) as stow:
        dicomweb_orthanc.know_stow_server("softray", stow.url)
        dicomweb_orthanc.stow("softray", dicomweb_orthanc.instances())
        [kept] = installed.instances()
        assert data_set_of(installed.store_path(kept.path)) == data_set_of(path)
