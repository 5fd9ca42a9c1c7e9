"""STOW-RS requests over real connections: what is kept, what each sender is told, and what holds the door."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
)

from dicom_node.callers import Callers
from dicom_node.intake import Intake, Limits
from dicom_node.multipart_related import PartLimits
from dicom_node.status import Outcome
from dicom_node.stow_answer import StowAnswer, read_answer
from dicom_node.stow_scu import store
from dicom_node.stow_server import start_stow_server
from dicom_node.tls import TlsFiles
from dicom_node.web_peer import WebPeer
from dicom_node.web_tokens import WebTokens
from service import web_connections
from service.errors import ConfigurationError, StoreFullError
from service.instance_store import InstanceStore
from service.settings import Settings
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import Installation, as_received, encoded, installation, unreachable_registry
from tests.dicom_node.running_stow import (
    BOUNDARY,
    TERMS,
    Stow,
    anonymous,
    content_type,
    file_of,
    file_with,
    multipart,
    stow_listening,
)
from tests.peers.certificates import authority
from tests.service_process import wait_for


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield anonymous(ready)


@pytest.fixture
def stow(installed: Installation) -> Iterator[Stow]:
    with stow_listening(installed) as running:
        yield running


def chest(number: int = 1, **overrides: object) -> Dataset:
    dataset = radiograph(SOPInstanceUID=f"1.2.826.0.{number}", **overrides)  # type: ignore[arg-type]
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def listed(answer: httpx.Response, sequence: str) -> list[tuple[str, int | None]]:
    """(SOP Instance UID, reason) of each item."""
    items = answer.json().get(sequence, {}).get("Value", [])
    return [
        (item.get("00081155", {}).get("Value", [""])[0], item.get("00081197", {}).get("Value", [None])[0])
        for item in items
    ]


def stored(answer: httpx.Response) -> list[str]:
    return [uid for uid, _ in listed(answer, "00081199")]


def failed(answer: httpx.Response) -> list[tuple[str, int | None]]:
    return listed(answer, "00081198")


def unnamed(answer: httpx.Response) -> list[int | None]:
    return [reason for _, reason in listed(answer, "0008119A")]


def test_an_instance_is_kept_byte_for_byte_and_queued(stow: Stow, installed: Installation) -> None:
    received = as_received(chest())
    answer = stow.answer([file_with(received)])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/dicom+json")
    assert stored(answer) == ["1.2.826.0.1"]
    assert "00081198" not in answer.json()
    [instance], [job] = installed.instances(), installed.jobs()
    assert installed.store_path(instance.path).read_bytes().endswith(received.data_set)
    assert instance.calling_ae_title == "STOW"
    assert installed.queue.inferences == [job.id]


def test_the_same_instance_by_both_doors_is_one_instance(stow: Stow, installed: Installation) -> None:
    received = as_received(chest())
    installed.intake.receive(received)
    assert stow.answer([file_with(received)]).status_code == 200
    assert len(installed.instances()) == len(installed.jobs()) == 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_the_transfer_syntax_is_that_of_the_file(stow: Stow, installed: Installation, syntax: str) -> None:
    dataset = chest()
    dataset.file_meta.TransferSyntaxUID = syntax
    data_set = encoded(dataset, implicit=syntax == ImplicitVRLittleEndian)
    if syntax == DeflatedExplicitVRLittleEndian:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data_set = deflater.compress(data_set) + deflater.flush()
    received = as_received(dataset, data_set, transfer_syntax_uid=syntax)
    answer = stow.answer([file_with(received)])
    assert answer.status_code == 200, answer.text
    [instance] = installed.instances()
    assert instance.transfer_syntax_uid == syntax
    assert installed.store_path(instance.path).read_bytes().endswith(data_set)


def test_a_compressed_instance_is_kept_compressed(stow: Stow, installed: Installation) -> None:
    dataset = chest()
    dataset.compress("1.2.840.10008.1.2.4.80", generate_instance_uid=False)
    received = as_received(dataset, transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID)
    assert stow.answer([file_with(received)]).status_code == 200
    [instance] = installed.instances()
    assert instance.eligible
    assert dcmread(installed.store_path(instance.path)).pixel_array.shape == (dataset.Rows, dataset.Columns)


def test_each_instance_of_a_request_has_its_own_answer(stow: Stow, installed: Installation) -> None:
    broken = as_received(chest(3), encoded(chest(3))[:-100])
    files = [
        file_of(chest(1)),
        file_of(chest(2), sop_class_uid=CTImageStorage),
        file_with(broken),
        b"not a DICOM file",
        file_of(chest(5), transfer_syntax_uid=JPEGBaseline8Bit),
        file_of(chest(6)),
    ]
    answer = stow.answer(files)
    assert answer.status_code == 202
    assert stored(answer) == ["1.2.826.0.1", "1.2.826.0.6"]
    assert failed(answer) == [("1.2.826.0.2", 0x0122), ("1.2.826.0.3", 0xC000), ("1.2.826.0.5", 0xC122)]
    assert unnamed(answer) == [0xC000]
    assert [(r.reason_code, r.sop_instance_uid) for r in installed.rejections()] == [
        ("SOP_CLASS_NOT_ACCEPTED", "1.2.826.0.2"),
        ("DATA_SET_TRUNCATED", "1.2.826.0.3"),
        ("NOT_A_DICOM_FILE", None),
        ("TRANSFER_SYNTAX_NOT_SUPPORTED", "1.2.826.0.5"),
    ]


def test_a_file_whose_meta_information_lies_is_refused(stow: Stow) -> None:
    another_class = as_received(chest(1), sop_class_uid="1.2.840.10008.5.1.4.1.1.1")
    another_instance = as_received(chest(2), sop_instance_uid="1.2.3")
    answer = stow.answer([file_with(another_class), file_with(another_instance)])
    assert answer.status_code == 409
    assert failed(answer) == [("1.2.826.0.1", 0xA900), ("1.2.3", 0xC000)]


def test_only_instances_of_the_study_in_the_address_are_taken(stow: Stow, installed: Installation) -> None:
    answer = stow.answer(
        [file_of(chest(1, StudyInstanceUID="1.2.3.4")), file_of(chest(2, StudyInstanceUID="1.2.3.5"))], study="1.2.3.4"
    )
    assert answer.status_code == 202
    assert stored(answer) == ["1.2.826.0.1"]
    assert failed(answer) == [("1.2.826.0.2", 0xC000)]
    assert [r.reason_code for r in installed.rejections()] == ["STUDY_MISMATCH"]


def test_what_is_not_ours_is_kept_without_a_job_as_at_the_other_door(stow: Stow, installed: Installation) -> None:
    answer = stow.answer([file_of(chest(BodyPartExamined="HAND", remove=("AnatomicRegionSequence",)))])
    assert answer.status_code == 200
    [instance] = installed.instances()
    assert not instance.eligible
    assert installed.jobs() == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/dicom"}, 415, "MEDIA_TYPE_NOT_SUPPORTED"),
        ({"Content-Type": 'multipart/related; type="application/dicom+json"; boundary=b'}, 415, None),
        ({"Content-Type": "multipart/form-data; boundary=b"}, 415, None),
        ({"Content-Encoding": "gzip"}, 415, None),
        ({"Content-Type": 'multipart/related; type="application/dicom"'}, 400, "BOUNDARY_INVALID"),
        ({"Content-Type": "multipart/related; boundary=another"}, 400, "BOUNDARY_MISSING"),
        ({"Accept": "text/html, image/jpeg"}, 406, "NOT_ACCEPTABLE"),
    ],
)
def test_a_request_of_another_kind_is_refused_by_its_header(
    stow: Stow, installed: Installation, headers: dict[str, str], status: int, code: str | None
) -> None:
    answer = stow.answer([file_of(chest())], headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == (code or "MEDIA_TYPE_NOT_SUPPORTED")
    assert installed.instances() == []
    assert [r.reason_code for r in installed.rejections()] == ([answer.json()["code"]] if status != 406 else [])


def test_a_body_that_breaks_off_is_a_bad_request_and_loses_nothing(stow: Stow, installed: Installation) -> None:
    whole = multipart(file_of(chest(1)), file_of(chest(2)))
    nothing = stow.answer([], body=whole[: len(whole) // 4])
    assert (nothing.status_code, nothing.json()["code"]) == (400, "BODY_TRUNCATED")
    assert installed.instances() == []
    one = stow.answer([], body=whole[: len(whole) * 3 // 4])
    assert one.status_code == 202
    assert (stored(one), unnamed(one)) == (["1.2.826.0.1"], [0xC000])
    assert [i.sop_instance_uid for i in installed.instances()] == ["1.2.826.0.1"]
    again = stow.answer([], body=whole)
    assert again.status_code == 200
    assert len(installed.instances()) == 2


def test_a_body_without_parts_is_a_bad_request(stow: Stow) -> None:
    assert stow.answer([], body=f"--{BOUNDARY}--".encode()).json()["code"] == "NO_INSTANCES"
    assert stow.answer([], body=b"").json()["code"] == "BODY_TRUNCATED"


def test_a_study_that_is_no_uid_is_a_bad_request_and_other_addresses_are_unknown(stow: Stow) -> None:
    assert stow.answer([file_of(chest())], study="not-a-uid").json()["code"] == "UID_INVALID"
    assert httpx.get(f"{stow.url}/studies", trust_env=False).status_code == 405
    assert httpx.get(f"{stow.url}/nothing", trust_env=False).json()["code"] == "NO_SUCH_ADDRESS"


def test_an_instance_over_the_limit_is_named_and_the_others_are_kept(installed: Installation) -> None:
    small, large = file_of(chest(1)), file_of(chest(2, PixelData=b"\0" * 3_000_000))
    terms = replace(TERMS, parts=PartLimits(10, len(small) + 1000, 64 << 20))
    with stow_listening(installed, terms=terms) as stow:
        some = stow.answer([large, small])
        none = stow.answer([large])
    assert some.status_code == 202
    assert (stored(some), failed(some)) == (["1.2.826.0.1"], [("1.2.826.0.2", 0xC000)])
    assert none.status_code == 413
    assert {r.reason_code for r in installed.rejections()} == {"INSTANCE_TOO_LARGE"}


def test_a_request_over_the_limit_is_refused_before_it_is_read_or_on_the_way(installed: Installation) -> None:
    terms = replace(TERMS, parts=PartLimits(2, 64 << 20, 1000))
    file = file_of(chest())

    def pieces() -> Iterator[bytes]:  # without a Content-Length
        yield multipart(file)

    with stow_listening(installed, terms=terms) as stow:
        announced = stow.answer([file])
        streamed = httpx.post(f"{stow.url}/studies", content=pieces(), headers=content_type(), trust_env=False)
    assert [(a.status_code, a.json()["code"]) for a in (announced, streamed)] == [(413, "BODY_TOO_LARGE")] * 2
    with stow_listening(installed, terms=replace(TERMS, parts=PartLimits(2, 64 << 20, 64 << 20))) as stow:
        many = stow.answer([file_of(chest(1)), file_of(chest(2)), file_of(chest(3))])
    assert many.status_code == 202
    assert stored(many) == ["1.2.826.0.1", "1.2.826.0.2"]


@pytest.mark.parametrize("trouble", ["disk low", "queue full", "registry away", "stopping"])
def test_what_may_pass_asks_the_sender_to_come_back(installed: Installation, tmp_path: Path, trouble: str) -> None:
    changes: dict[str, object] = {
        "disk low": {"store": InstanceStore(tmp_path / "instances", 1 << 60)},
        "queue full": {"limits": Limits(64 << 20, 0)},
        "registry away": {"sessions": unreachable_registry(tmp_path)},
        "stopping": {},
    }[trouble]
    with stow_listening(installed, **changes) as stow:
        if trouble == "stopping":
            installed.intake.shutting_down.set()
            with stow_listening(installed, shutting_down=installed.intake.shutting_down) as stopping:
                answer = stopping.answer([file_of(chest())])
        else:
            answer = stow.answer([file_of(chest())])
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    if trouble == "registry away":
        assert failed(answer) == [("1.2.826.0.1", 0xA700)]
    elif trouble != "stopping":  # before a byte of the body is read
        assert answer.json()["code"] == {"disk low": "DISK_LOW", "queue full": "QUEUE_FULL"}[trouble]
    assert installed.instances() == []


def test_a_registry_that_is_away_at_the_door_asks_to_come_back(installed: Installation, tmp_path: Path) -> None:
    with stow_listening(installed, callers=Callers(unreachable_registry(tmp_path))) as stow:
        answer = stow.answer([file_of(chest())])
    assert (answer.status_code, answer.json()["code"]) == (503, "REGISTRY_UNAVAILABLE")
    assert "retry-after" in answer.headers


def test_what_may_pass_for_one_of_several_is_a_failure_in_the_list(installed: Installation) -> None:
    class OneOnly(Intake):
        def receive(self, received):  # type: ignore[no-untyped-def]
            if str(received.sop_instance_uid).endswith(".2"):
                raise StoreFullError("DISK_LOW", "no room")
            return super().receive(received)

    intake = OneOnly(**{name: getattr(installed.intake, name) for name in Intake.__dataclass_fields__})
    with stow_listening(Installation(intake, installed.engine, installed.queue)) as stow:
        answer = stow.answer([file_of(chest(1)), file_of(chest(2))])
    assert answer.status_code == 202
    assert failed(answer) == [("1.2.826.0.2", 0xA700)]


def test_a_failure_that_nobody_foresaw_is_0110_and_shows_nothing(
    installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def announce_inference(self, job_id: str) -> bool:
            raise ValueError("Doe^Jane")

    with stow_listening(installed, queue=Broken()) as stow:
        answer = stow.answer([file_of(chest())])
    assert answer.status_code == 503
    assert failed(answer) == [("1.2.826.0.1", 0x0110)]
    assert "Jane" not in answer.text + caplog.text


def test_who_reads_only_xml_is_answered_in_xml(stow: Stow) -> None:
    files = [file_of(chest(1)), file_of(chest(2), sop_class_uid=CTImageStorage), b"none"]
    answer = stow.answer(files, headers={"Accept": "application/dicom+xml"})
    assert answer.headers["content-type"] == "application/dicom+xml"
    assert b'keyword="ReferencedSOPSequence"' in answer.content
    read = read_answer(answer.content)
    assert read == StowAnswer({"1.2.826.0.1": 0}, {"1.2.826.0.2": 0x0122}, (0xC000,))
    # and as a reader understands it that is not ours
    client = DICOMwebClient(stow.url, headers={"Accept": "application/dicom+xml"})
    [item] = client.store_instances([chest(1)]).ReferencedSOPSequence
    assert item.ReferencedSOPInstanceUID == "1.2.826.0.1"


def test_another_image_under_a_known_uid_goes_to_quarantine_and_the_first_stays(
    stow: Stow, installed: Installation
) -> None:
    assert stow.answer([file_of(chest(1))]).status_code == 200
    answer = stow.answer([file_of(chest(1, SeriesDescription="another"))])
    assert answer.status_code == 202
    [item] = answer.json()["00081199"]["Value"]
    assert item["00081196"]["Value"] == [0xB006]
    assert [r.reason_code for r in installed.rejections()] == ["DUPLICATE_UID"]
    assert len(installed.instances()) == 1


def test_whom_the_allow_list_does_not_know_may_not_send(tmp_path: Path) -> None:
    with installation(tmp_path) as nobody, stow_listening(nobody) as stow:
        answer = stow.answer([file_of(chest())])
        assert (answer.status_code, answer.json()["code"]) == (403, "CALLER_NOT_ALLOWED")
        anonymous(nobody)
        assert stow.answer([file_of(chest())]).status_code == 200


def test_a_token_stands_for_an_ae_title_of_the_allow_list(installed: Installation) -> None:
    tokens = WebTokens({hashlib.sha256(b"right").hexdigest(): "GATEWAY", hashlib.sha256(b"gone").hexdigest(): "GONE"})
    installed.add_caller("GATEWAY")
    with stow_listening(installed, terms=replace(TERMS, tokens=tokens)) as stow:

        def status(authorization: str | None) -> int:
            headers = {"Authorization": authorization} if authorization else {}
            return stow.answer([file_of(chest())], headers=headers).status_code

        assert [status(a) for a in (None, "Bearer wrong", "Basic right", "Bearer", "Bearer gone")] == [401] * 4 + [403]
        assert installed.instances() == []
        assert status("Bearer right") == 200
        assert status("bearer right") == 200
        assert httpx.get(stow.url, trust_env=False).headers["www-authenticate"] == "Bearer"
    [instance] = installed.instances()
    assert instance.calling_ae_title == "GATEWAY"


def test_a_page_of_another_site_that_names_itself_as_this_machine_is_refused(stow: Stow) -> None:
    answer = stow.answer([file_of(chest())], headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "HOST_NOT_LOCAL")


def test_what_is_taken_is_said(stow: Stow) -> None:
    said = httpx.get(stow.url, trust_env=False).json()
    assert "1.2.840.10008.5.1.4.1.1.1.1" in said["sop_classes"]
    assert JPEGLosslessSV1 in said["transfer_syntaxes"]
    assert said["max_instances"] == 100


def test_twenty_requests_at_once_are_all_kept_once(stow: Stow, installed: Installation) -> None:
    files = [file_of(chest(number)) for number in range(1, 21)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda file: stow.answer([file]), files))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sorted(uid for answer in answers for uid in stored(answer)) == sorted(f"1.2.826.0.{n}" for n in range(1, 21))
    assert len(installed.instances()) == len(installed.jobs()) == 20


@pytest.mark.slow
def test_two_hundred_requests_at_once_are_answered_and_what_is_stored_is_kept(
    stow: Stow, installed: Installation
) -> None:
    files = [file_of(chest(number)) for number in range(1, 201)]
    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(lambda file: stow.answer([file]).status_code, files))
    assert set(statuses) <= {200, 429, 503}
    assert len(installed.instances()) == statuses.count(200) >= 20
    assert stow.answer([files[0]]).status_code == 200


def test_one_instance_twenty_times_at_once_is_one_instance(stow: Stow, installed: Installation) -> None:
    file = file_of(chest())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: stow.answer([file]), range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(installed.instances()) == len(installed.jobs()) == 1
    assert installed.rejections() == []


def test_requests_over_the_limit_are_asked_to_come_back(installed: Installation) -> None:
    with (
        stow_listening(installed, terms=replace(TERMS, max_requests=1)) as stow,
        socket.create_connection(("127.0.0.1", stow.server.port)) as slow,
    ):
        head = f"POST /studies HTTP/1.1\r\nHost: localhost\r\n{next(iter(content_type()))}: "
        slow.sendall((head + content_type()["Content-Type"] + "\r\nContent-Length: 1000\r\n\r\n--").encode())
        time.sleep(0.3)
        answer = stow.answer([file_of(chest())])
    assert (answer.status_code, answer.json()["code"]) == (503, "BUSY")


def test_a_sender_that_falls_silent_or_leaves_keeps_no_place(installed: Installation) -> None:
    head = "POST /studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: 1000\r\n\r\n--"
    terms = replace(TERMS, max_requests=1, silence_s=0.3)
    with stow_listening(installed, terms=terms) as stow:
        for leaves in (False, True):
            with socket.create_connection(("127.0.0.1", stow.server.port), timeout=15) as sender:
                sender.sendall(head.format(content_type()["Content-Type"]).encode())
                if not leaves:
                    assert b"400" in sender.recv(1000)
            time.sleep(0.3)
            assert stow.answer([file_of(chest())]).status_code == 200
    assert [r.reason_code for r in installed.rejections()] == ["SENDER_SILENT", "SENDER_LEFT"]


def test_a_sender_that_trickles_is_cut_off_though_it_is_never_silent(installed: Installation) -> None:
    head = "POST /studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: 100000\r\n\r\n"
    with (
        stow_listening(installed, terms=replace(TERMS, silence_s=0.5)) as stow,
        socket.create_connection(("127.0.0.1", stow.server.port), timeout=15) as sender,
    ):
        began = time.monotonic()
        sender.sendall(head.format(content_type()["Content-Type"]).encode())
        with contextlib.suppress(OSError):
            for byte in multipart(file_of(chest())):
                sender.sendall(bytes([byte]))
                time.sleep(0.02)
                if time.monotonic() - began > 10:
                    break
        assert time.monotonic() - began < 5
    assert [r.reason_code for r in installed.rejections()] == ["SENDER_SILENT"]


def test_a_slow_sender_that_brings_enough_is_heard_to_the_end(installed: Installation) -> None:
    body = multipart(file_of(chest()))

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(body), len(body) // 10):
            yield body[begin : begin + len(body) // 10]
            time.sleep(0.15)  # 1.5 s in all, three times the longest pause

    with stow_listening(installed, terms=replace(TERMS, silence_s=0.5)) as stow:
        answer = httpx.post(f"{stow.url}/studies", content=pieces(), headers=content_type(), trust_env=False)
    assert answer.status_code == 200, answer.text


def test_one_sender_does_not_take_every_place(installed: Installation) -> None:
    tokens = WebTokens({hashlib.sha256(name.encode()).hexdigest(): name.upper() for name in ("one", "two")})
    installed.add_caller("ONE")
    installed.add_caller("TWO")
    terms = replace(TERMS, tokens=tokens, max_requests=3, max_requests_per_caller=1)
    head = "POST /studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\nContent-Type: "
    head += content_type()["Content-Type"]
    with stow_listening(installed, terms=terms) as stow:
        with socket.create_connection(("127.0.0.1", stow.server.port)) as slow:
            slow.sendall((head + "\r\nContent-Length: 1000\r\n\r\n--").encode())

            def second() -> httpx.Response | None:
                answer = stow.answer([file_of(chest(1))], headers={"Authorization": "Bearer one"})
                return answer if answer.status_code == 429 else None

            refused = wait_for("the first request to have its place", second, 10)
            assert refused.json()["code"] == "TOO_MANY_REQUESTS"
            assert int(refused.headers["retry-after"]) > 0
            assert stow.answer([file_of(chest(2))], headers={"Authorization": "Bearer two"}).status_code == 200

        def again() -> bool:
            return stow.answer([file_of(chest(3))], headers={"Authorization": "Bearer one"}).status_code == 200

        wait_for("the place to be free again", again, 10)


def test_with_a_ca_file_only_senders_with_its_certificates_are_heard(installed: Installation, tmp_path: Path) -> None:
    ours, foreign = authority(tmp_path / "ours"), authority(tmp_path / "foreign")
    door, gateway, stranger = ours.issue("door"), ours.issue("gateway"), foreign.issue("stranger")
    settings = Settings(
        stow_certificate_file=door.certificate, stow_key_file=door.private_key, stow_ca_file=ours.certificate
    )
    with stow_listening(installed, settings=settings) as stow:

        def sent_with(files: TlsFiles | None) -> int | None:
            context = ssl.create_default_context(cafile=str(ours.certificate))
            if files is not None:
                context.load_cert_chain(files.certificate, files.private_key)
            try:
                with httpx.Client(verify=context, trust_env=False) as client:
                    body = multipart(file_of(chest()))
                    return client.post(f"{stow.url}/studies", content=body, headers=content_type()).status_code
            except httpx.TransportError:
                return None

        assert [sent_with(files) for files in (None, stranger, gateway)] == [None, None, 200]
    with pytest.raises(ConfigurationError, match="STOW_CA_NEEDS_CERTIFICATE"):
        start_stow_server(Settings(stow_port=1, stow_ca_file=ours.certificate), installed.intake)


def test_a_connection_that_never_asks_is_closed(stow: Stow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connections, "PATIENCE_S", 0.2)
    for words in (b"", b"POST /studies HT"):
        with socket.create_connection(("127.0.0.1", stow.server.port), timeout=5) as silent:
            silent.sendall(words)
            assert silent.recv(10) == b""
    assert stow.answer([file_of(chest())]).status_code == 200


def test_stopping_lets_a_request_end(installed: Installation) -> None:
    with stow_listening(installed) as stow:

        def pieces() -> Iterator[bytes]:
            body = multipart(file_of(chest()))
            yield body[:1000]
            time.sleep(1.0)
            yield body[1000:]

        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(
                httpx.post, f"{stow.url}/studies", content=pieces(), headers=content_type(), trust_env=False
            )
            time.sleep(0.5)
            stow.server.stop()
            assert answer.result().status_code == 200
    assert len(installed.instances()) == 1


def test_dicomweb_client_stores_here(stow: Stow, installed: Installation) -> None:
    datasets = [chest(1), chest(2)]
    answer = DICOMwebClient(stow.url).store_instances(datasets)
    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == ["1.2.826.0.1", "1.2.826.0.2"]
    assert "FailedSOPSequence" not in answer
    DICOMwebClient(stow.url).store_instances([chest(1)], study_instance_uid=chest().StudyInstanceUID)
    assert [i.sop_instance_uid for i in installed.instances()] == ["1.2.826.0.1", "1.2.826.0.2"]
    [instance, _] = installed.instances()
    assert dcmread(installed.store_path(instance.path)).PixelData == datasets[0].PixelData


def test_with_a_certificate_the_door_is_encrypted_and_the_sender_checks_it(
    installed: Installation, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=softray"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    file = tmp_path / "image.dcm"
    file.write_bytes(file_of(chest()))
    settings = Settings(stow_certificate_file=certificate, stow_key_file=key)
    with stow_listening(installed, settings=settings) as stow:
        [unknown] = store([file], WebPeer(stow.url))
        [trusted] = store([file], WebPeer(stow.url, ca_file=certificate))
        [in_clear] = store([file], WebPeer(stow.url.replace("https", "http")), timeout_s=5)
    assert (unknown.outcome, unknown.code) == (Outcome.RETRY, "TLS_FAILED")
    assert trusted.outcome is Outcome.SENT
    assert in_clear.outcome is Outcome.RETRY
    assert len(installed.instances()) == 1


def test_another_address_than_a_loopback_one_needs_tokens(installed: Installation, tmp_path: Path) -> None:
    open_to_all = Settings(stow_port=1, stow_host="0.0.0.0")
    with pytest.raises(ConfigurationError, match="STOW_NEEDS_TOKENS"):
        start_stow_server(open_to_all, installed.intake)
    assert start_stow_server(Settings(stow_host="0.0.0.0"), installed.intake) is None
    with pytest.raises(ConfigurationError, match="TOKENS_FILE_UNREADABLE"):
        start_stow_server(Settings(stow_port=1, stow_tokens_file=tmp_path / "none"), installed.intake)


def test_an_address_or_a_certificate_that_cannot_be_had_is_said(installed: Installation, stow: Stow) -> None:
    with pytest.raises(ConfigurationError, match="ADDRESS_NOT_AVAILABLE"):
        start_stow_server(Settings(stow_port=stow.server.port), installed.intake)
    with pytest.raises(ConfigurationError, match="CERTIFICATE_UNREADABLE"):
        start_stow_server(Settings(stow_port=1, stow_certificate_file=Path("none.pem")), installed.intake)
