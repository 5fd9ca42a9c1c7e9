"""Associations: who gets one, on which terms, what one connection may cost, and how the node stops."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
)
from pynetdicom import evt

from dicom_node.acceptor import Acceptor
from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.callers import Callers
from dicom_node.intake import Limits
from dicom_node.store_scu import Peer, echo
from dicom_node.uids import IMPLEMENTATION_CLASS_UID
from service.errors import ConfigurationError, RegistryUnavailableError
from service.registry.remote_nodes import remove_remote_node
from tests.dicom_node.factories import radiograph
from tests.dicom_node.raw_peer import (
    ASSOCIATE_RJ,
    P_DATA_TF,
    RELEASE_RQ,
    STORAGE_ID,
    RawPeer,
    associate_rq,
    c_store_rq,
    p_data,
    pdu,
    pdv,
    status_of,
)
from tests.dicom_node.running_node import (
    MODALITY,
    Installation,
    as_received,
    associate,
    c_store_over,
    encoded,
    installation,
    listening,
)
from tests.peers.dcmtk import Dcmtk
from tests.service_process import wait_for

DX = DigitalXRayImageStorageForPresentation


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed) as running:
        yield running


def rejection(port: int, *, calling: str = MODALITY, called: str = "SOFTRAY") -> tuple[int, int, int]:
    with RawPeer(port) as peer:
        peer.send(associate_rq(calling.encode("ascii"), called.encode("ascii")))
        answer = peer.receive()
    assert answer is not None
    kind, (_, result, source, reason) = answer
    assert kind == ASSOCIATE_RJ
    return result, source, reason


def alive(node: Node) -> bool:
    return echo(Peer("SOFTRAY", "127.0.0.1", node.port), calling_ae_title=MODALITY).ok


def test_a_calling_ae_title_that_is_not_registered_is_rejected(node: Node, installed: Installation) -> None:
    installed.add_caller("RECEIVER", may_send=False)
    assert rejection(node.port, calling="STRANGER") == (1, 1, 3)
    assert rejection(node.port, calling="RECEIVER") == (1, 1, 3)
    assert alive(node)


def test_a_called_ae_title_that_is_not_ours_is_rejected(node: Node) -> None:
    assert rejection(node.port, called="OTHER") == (1, 1, 7)
    assert alive(node)


def test_a_remote_node_is_known_as_soon_as_it_is_registered_and_forgotten_as_soon_as_removed(
    node: Node, installed: Installation
) -> None:
    peer = Peer("SOFTRAY", "127.0.0.1", node.port)
    assert not echo(peer, calling_ae_title="LATE").ok
    installed.add_caller("LATE")
    assert echo(peer, calling_ae_title="LATE").ok
    with installed.sessions.begin() as session:
        remove_remote_node(session, "late", now=installed.intake.clock())
    assert not echo(peer, calling_ae_title="LATE").ok


def test_a_caller_removed_during_its_association_is_not_authorised(node: Node, installed: Installation) -> None:
    association = associate(node.port, [DX])
    assert association.is_established
    with installed.sessions.begin() as session:
        remove_remote_node(session, MODALITY.lower(), now=installed.intake.clock())
    assert c_store_over(association, as_received(radiograph())).Status == 0x0124
    association.release()


def test_more_associations_than_allowed_are_rejected_for_the_moment(installed: Installation) -> None:
    with listening(installed, AssociationLimits(max_associations=2)) as node:
        held = [associate(node.port, [DX]) for _ in range(2)]
        assert all(association.is_established for association in held)
        assert rejection(node.port) == (2, 3, 2)
        held[0].release()
        time.sleep(0.2)
        assert alive(node)
        held[1].release()


def test_one_caller_cannot_take_every_place(installed: Installation) -> None:
    installed.add_caller("OTHER")
    with listening(installed, AssociationLimits(max_associations=3, max_associations_per_caller=2)) as node:
        held = [associate(node.port, [DX]) for _ in range(2)]
        assert rejection(node.port) == (2, 3, 2)
        other = associate(node.port, [DX], calling="OTHER")
        assert other.is_established
        for association in (*held, other):
            association.release()


def test_a_registered_ae_title_from_another_host_is_rejected(installed: Installation) -> None:
    installed.add_caller("ELSEWHERE", host="192.0.2.7")
    installed.add_caller("ANYWHERE", host="*")
    installed.add_caller("BYNAME", host="localhost")
    with listening(installed) as node:
        assert rejection(node.port, calling="ELSEWHERE") == (1, 1, 3)
        for calling in ("ANYWHERE", "BYNAME"):
            assert echo(Peer("SOFTRAY", "127.0.0.1", node.port), calling_ae_title=calling).ok


def test_a_caller_let_in_while_the_registry_was_away_is_checked_once_it_is_back(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.add_caller("ELSEWHERE", host="192.0.2.7")

    def away(*_: object) -> None:
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", "the database did not answer")

    with listening(installed) as node:
        answers = {}
        for calling in ("ELSEWHERE", MODALITY):
            received = as_received(radiograph(), calling_ae_title=calling)
            with monkeypatch.context() as outage:
                outage.setattr(Callers, "refusal", away)
                association = associate(node.port, [DX], calling=calling)
                assert association.is_established
            answers[calling] = c_store_over(association, received).Status
            association.release()
    assert answers == {"ELSEWHERE": 0x0124, MODALITY: 0x0000}


def test_a_rejected_host_is_named_in_the_log_with_its_reason(
    installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    installed.add_caller("ELSEWHERE", host="192.0.2.7")
    with listening(installed) as node, caplog.at_level(logging.WARNING):
        rejection(node.port, calling="ELSEWHERE")
    (fields,) = [record.fields for record in caplog.records if record.message == "association_rejected"]  # type: ignore[attr-defined]
    assert (fields["reason_code"], fields["address"]) == ("CALLER_HOST_MISMATCH", "127.0.0.1")


def test_other_sop_classes_are_not_accepted(node: Node) -> None:
    association = associate(node.port, [DX, CTImageStorage, SecondaryCaptureImageStorage])
    assert [context.abstract_syntax for context in association.accepted_contexts] == [DX]
    association.release()


def test_a_transfer_syntax_that_cannot_be_decoded_is_not_negotiated(node: Node) -> None:
    association = associate(node.port, [DX], [MPEG2MPML])
    assert not association.accepted_contexts
    assert not association.is_established
    assert alive(node)


def test_of_several_transfer_syntaxes_the_uncompressed_one_is_taken(node: Node) -> None:
    association = associate(node.port, [DX], [JPEGLosslessSV1, ExplicitVRLittleEndian])
    assert association.accepted_contexts[0].transfer_syntax == [ExplicitVRLittleEndian]
    association.release()


def test_the_node_names_its_implementation_and_its_largest_pdu(installed: Installation) -> None:
    with listening(installed, AssociationLimits(max_pdu=65536)) as node:
        association = associate(node.port, [DX])
        assert association.acceptor.implementation_class_uid == IMPLEMENTATION_CLASS_UID
        assert str(association.acceptor.implementation_version_name).startswith("SOFTRAY_")
        assert association.acceptor.maximum_length == 65536
        association.release()


def test_a_peer_that_falls_silent_within_a_pdu_is_dropped(installed: Installation) -> None:
    with listening(installed, AssociationLimits(network_timeout_s=0.5)) as node:
        with socket.create_connection(("127.0.0.1", node.port)) as peer:
            peer.sendall(b"\x01\x00\x00\x00\x10\x00half a request")
            peer.settimeout(10)
            started = time.monotonic()
            assert peer.recv(1) == b""
            assert time.monotonic() - started < 5
        assert alive(node)


def test_a_peer_that_talks_something_else_is_dropped(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port)) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        peer.settimeout(10)
        while peer.recv(4096):
            pass
    assert alive(node)


def test_an_announced_pdu_of_four_gigabytes_is_not_waited_for(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port)) as peer:
        peer.sendall(b"\x01\x00\xff\xff\xff\xff" + b"\0" * 1000)
        peer.settimeout(10)
        while peer.recv(4096):
            pass
    assert alive(node)


def test_a_data_set_that_never_ends_is_cut_off(installed: Installation) -> None:
    with listening(installed, limits=Limits(max_instance_bytes=1 << 20, max_queue_depth=10)) as node:
        dataset = radiograph()  # 2.6 MB
        association = associate(node.port, [DX])
        assert "Status" not in c_store_over(association, as_received(dataset))
        deadline = time.monotonic() + 5
        while not association.is_aborted and time.monotonic() < deadline:  # its thread has to read our A-ABORT
            time.sleep(0.02)
        assert association.is_aborted
        assert alive(node)
    assert installed.instances() == []


def test_a_connection_that_gets_no_thread_is_closed_and_forgotten(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: Acceptor) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as exhausted:
        exhausted.setattr(Acceptor, "start", no_thread)
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as connection:
            assert connection.recv(1) == b""
    assert node.connections == []
    assert alive(node)


def test_an_address_in_use_is_said_so(node: Node, installed: Installation) -> None:
    second = Node(NodeAddress("SOFTRAY", "127.0.0.1", node.port), AssociationLimits(), installed.intake)
    with pytest.raises(ConfigurationError, match="ADDRESS_NOT_AVAILABLE"):
        second.start()


def test_a_stopping_node_answers_the_message_that_was_begun_and_rejects_what_is_new(installed: Installation) -> None:
    dataset = radiograph()
    content = encoded(dataset)
    with listening(installed) as node, RawPeer(node.port) as peer:
        port = node.port
        peer.associate()
        peer.send(p_data(pdv(STORAGE_ID, 3, c_store_rq(str(dataset.SOPInstanceUID).encode()))))
        peer.send(p_data(pdv(STORAGE_ID, 0, content[:10000])))
        wait_for("the message to have begun", lambda: [c for c in node.connections if c.in_message], 5)
        stopping = threading.Thread(target=node.stop, kwargs={"finish_s": 20.0, "refuse_s": 0.5})
        stopping.start()
        wait_for("the node to stop", stopping_of(node), 5)
        assert rejection(port) == (2, 3, 1)
        time.sleep(1.0)  # longer than an association that idles is waited for
        for begin in range(10000, len(content), 100000):
            piece = content[begin : begin + 100000]
            peer.send(p_data(pdv(STORAGE_ID, 2 if begin + 100000 >= len(content) else 0, piece)))
        answer = peer.receive()
        assert answer is not None
        assert (answer[0], status_of(answer[1])) == (P_DATA_TF, 0x0000)
        peer.send(pdu(RELEASE_RQ, bytes(4)))
        stopping.join(5)
        assert not stopping.is_alive()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    assert len(installed.instances()) == 1


def test_a_message_that_never_ends_does_not_hold_a_stopping_node(installed: Installation) -> None:
    with listening(installed) as node, RawPeer(node.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(STORAGE_ID, 3, c_store_rq())))
        peer.send(p_data(pdv(STORAGE_ID, 0, bytes(10000))))
        wait_for("the message to have begun", lambda: [c for c in node.connections if c.in_message], 5)
        started = time.monotonic()
        node.stop(finish_s=0.5, refuse_s=0.1)
        assert time.monotonic() - started < 3
    assert installed.instances() == []
    assert list((installed.store_path("tmp")).iterdir()) == []


def test_an_association_that_goes_on_is_told_to_come_back_and_then_aborted(installed: Installation) -> None:
    aborted = threading.Event()
    with listening(installed) as node:
        association = associate(node.port, [DX])
        association.bind(evt.EVT_ABORTED, lambda _: aborted.set())
        stopping = threading.Thread(target=node.stop, kwargs={"finish_s": 10.0, "refuse_s": 1.5})
        stopping.start()
        time.sleep(0.5)
        answer = c_store_over(association, as_received(radiograph()))
        assert (answer.Status, answer.ErrorComment[:13]) == (0xA700, "SHUTTING_DOWN")
        stopping.join(5)
        assert not stopping.is_alive()
        assert aborted.wait(5)
    assert installed.instances() == []


def stopping_of(node: Node) -> Callable[[], bool]:
    [connection] = node.connections
    return connection.server.terms.stopping.is_set


@pytest.mark.interop
def test_dcmtk_sends_and_echoes(node: Node, installed: Installation, dcmtk: Dcmtk, tmp_path: Path) -> None:
    dataset = radiograph()
    path = tmp_path / "radiograph.dcm"
    dataset.save_as(path, enforce_file_format=True)
    assert dcmtk.echoscu(node.port, calling=MODALITY) == 0
    assert dcmtk.storescu(node.port, path, calling=MODALITY) == 0
    [instance] = installed.instances()
    received = as_received(dataset)
    assert installed.store_path(instance.path).read_bytes().endswith(received.data_set[-2_000_000:])


@pytest.mark.interop
def test_dcmtk_as_a_stranger_gets_no_association(node: Node, dcmtk: Dcmtk) -> None:
    assert dcmtk.echoscu(node.port, calling="STRANGER") != 0
    assert dcmtk.echoscu(node.port, calling=MODALITY, called="OTHER") != 0


@pytest.mark.interop
@pytest.mark.parametrize("syntax", ["-xi", "-xe", "-xb"])
def test_dcmtk_sends_in_every_uncompressed_transfer_syntax(
    node: Node, installed: Installation, dcmtk: Dcmtk, tmp_path: Path, syntax: str
) -> None:
    path = tmp_path / "radiograph.dcm"
    radiograph().save_as(path, enforce_file_format=True)
    assert dcmtk.storescu(node.port, path, calling=MODALITY, options=(syntax,)) == 0
    assert [instance.eligible for instance in installed.instances()] == [True]


def test_silent_connections_take_nobodys_place(installed: Installation) -> None:
    with listening(installed, AssociationLimits(max_associations=3, max_waiting=3)) as node:
        silent = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(20)]
        association = associate(node.port, [DX])
        assert c_store_over(association, as_received(radiograph())).Status == 0x0000
        association.release()
        silent[0].settimeout(5)
        assert silent[0].recv(1) == b""  # the oldest had to go
        started = time.monotonic()
        node.stop()
        assert time.monotonic() - started < 3
        for connection in silent:
            connection.close()
