"""Peers that fall silent, stop half-way, break the protocol or lie: each is cut off in its time; the node goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_node import upper_layer
from dicom_node.application_entity import AssociationLimits, Node
from dicom_node.callers import CallerRefusal, Callers
from dicom_node.store_scu import Peer, echo
from tests.dicom_node.raw_peer import (
    ABORT,
    APPLICATION_CONTEXT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    P_DATA_TF,
    RELEASE_RP,
    RELEASE_RQ,
    STORAGE_ID,
    VERIFICATION_ID,
    RawPeer,
    associate_rq,
    c_echo_rq,
    c_store_rq,
    item,
    p_data,
    pdu,
    pdv,
    status_of,
)
from tests.dicom_node.running_node import MODALITY, Installation, installation, listening

SHORT = AssociationLimits(network_timeout_s=0.5, acse_timeout_s=1.0)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed, SHORT) as running:
        yield running
        assert echo(Peer("SOFTRAY", "127.0.0.1", running.port), calling_ae_title=MODALITY).ok
        assert within(8, lambda: not running.connections), "a connection was left"
        assert running.slots.taken == 0
        assert list((installed.intake.store.root / "tmp").iterdir()) == []


def within(seconds: float, condition: object) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_connection_that_says_nothing_is_closed_when_artim_expires(node: Node) -> None:
    with RawPeer(node.port) as peer:
        assert 0.5 < peer.seconds_until_closed() < 4


def test_a_request_that_trickles_does_not_outlive_artim(node: Node) -> None:
    with RawPeer(node.port) as peer:
        started = time.monotonic()
        try:
            for byte in associate_rq():
                peer.send(bytes([byte]))
                time.sleep(0.1)
        except ConnectionError:
            pass
        assert time.monotonic() - started < 5


def test_half_a_pdu_is_not_waited_for(node: Node) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(VERIFICATION_ID, 3, c_echo_rq()))[:20])
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT
        assert peer.seconds_until_closed() < 4


def test_a_data_set_that_stops_within_a_pdu_leaves_nothing(node: Node, installed: Installation) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(STORAGE_ID, 3, c_store_rq())))
        peer.send(p_data(pdv(STORAGE_ID, 0, b"\x08\x00\x05\x00CS" * 5000))[:20000])
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT
    assert installed.instances() == []


def test_a_data_set_whose_peer_vanishes_leaves_nothing(node: Node, installed: Installation) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(STORAGE_ID, 3, c_store_rq())))
        peer.send(p_data(pdv(STORAGE_ID, 0, b"\0" * 60000)))
    assert installed.instances() == []


def test_an_idle_association_is_aborted(node: Node) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT


def test_a_peer_that_never_closes_after_its_release_is_closed(node: Node) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(pdu(RELEASE_RQ, b"\0" * 4))
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == RELEASE_RP
        assert within(3, lambda: node.slots.taken == 0)
        assert peer.seconds_until_closed() < 4
        # Ours is closed too, although the peer still holds its side open (PS3.8 §9.1.5).
        assert within(upper_layer.ARTIM_CLOSING_S + 3, lambda: not node.connections)


def test_an_abort_ends_the_association_at_once(node: Node) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        assert node.slots.taken == 1
        peer.send(pdu(ABORT, b"\0" * 4))
        assert peer.seconds_until_closed() < 2
    assert within(2, lambda: node.slots.taken == 0)


@pytest.mark.parametrize(
    "sent",
    [
        associate_rq(),
        pdu(ASSOCIATE_AC, b"\0" * 80),
        pdu(ASSOCIATE_RJ, b"\0\1\1\1"),
        pdu(RELEASE_RP, b"\0" * 4),
        pdu(9, b"\0" * 4),
        p_data(),
        p_data(b"\0\0\0\x01\x01"),
        p_data(pdv(VERIFICATION_ID, 3, c_echo_rq())[:-4]),
        p_data(b"\xff\xff\xff\xff\x01\x03"),
        p_data(pdv(VERIFICATION_ID, 3, b"no command set at all")),
        p_data(pdv(99, 3, c_store_rq())),
        p_data(pdv(STORAGE_ID, 2, b"a data set without its command")),
        p_data(pdv(STORAGE_ID, 3, c_store_rq()), pdv(VERIFICATION_ID, 0, b"in another context")),
        p_data(pdv(STORAGE_ID, 3, c_store_rq()), pdv(STORAGE_ID, 3, c_echo_rq())),
        p_data(pdv(STORAGE_ID, 1, b"\0" * 40000), pdv(STORAGE_ID, 1, b"\0" * 40000)),
        b"\x04\x00\xff\xff\xff\xff",
    ],
)
def test_what_does_not_belong_into_an_association_aborts_it(node: Node, sent: bytes) -> None:
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(sent)
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT
        assert peer.seconds_until_closed() < 4


def test_a_request_without_what_must_be_in_it_is_aborted(node: Node) -> None:
    head = b"\x00\x01\x00\x00" + b"SOFTRAY".ljust(16) + b"MODALITY".ljust(16) + b"\0" * 32
    with RawPeer(node.port) as peer:
        peer.send(pdu(1, head))
        assert peer.receive() == (ASSOCIATE_RJ, b"\x00\x01\x01\x02")  # application context not supported
    with RawPeer(node.port) as peer:
        peer.send(pdu(1, head + item(0x10, APPLICATION_CONTEXT)))
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT


def test_nobody_gets_in_when_the_allow_list_fails(installed: Installation) -> None:
    class Broken(Callers):
        def refusal(self, ae_title: str, address: str) -> CallerRefusal | None:
            raise ArithmeticError

    with listening(installed, callers=Broken(installed.sessions)) as node, RawPeer(node.port) as peer:
        peer.send(associate_rq())
        answer = peer.receive()
        assert answer is not None
        assert answer[0] == ABORT


@pytest.mark.parametrize("kind", [ASSOCIATE_AC, P_DATA_TF, RELEASE_RQ, RELEASE_RP])
def test_nothing_but_a_request_opens_an_association(node: Node, kind: int) -> None:
    with RawPeer(node.port) as peer:
        peer.send(pdu(kind, b"\0" * 80))
        answer = peer.receive()
        assert answer is None or answer[0] == ABORT


def test_a_protocol_version_that_we_do_not_know_is_rejected(node: Node) -> None:
    with RawPeer(node.port) as peer:
        peer.send(associate_rq(version=2))
        assert peer.receive() == (ASSOCIATE_RJ, b"\x00\x01\x02\x02")


@pytest.mark.parametrize(
    "calling", [b"MODA\x00ITY", b"MODA\x1bLITY\n", b"\xff\xfe\xfd", b"", b"A\\B", b"../../etc/passwd", b"\t" * 16]
)
def test_an_ae_title_with_odd_characters_gets_no_association_and_breaks_no_log_line(
    node: Node, calling: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), RawPeer(node.port) as peer:
        peer.send(associate_rq(calling=calling))
        answer = peer.receive()
    assert answer is not None
    assert answer[0] in (ASSOCIATE_RJ, ABORT)
    assert not [record for record in caplog.records if record.exc_info and record.name.startswith(("dicom", "service"))]


@pytest.mark.parametrize(
    "uid", [b"../../../etc/passwd", b"1.2.3/4", b"1.2\\3", b"1" * 65, b"1.2." + b"3" * 200, b"", b"1.2\x00.3", b"x"]
)
def test_a_uid_that_is_none_is_an_invalid_sop_instance(node: Node, installed: Installation, uid: bytes) -> None:
    before = sorted(installed.intake.store.root.rglob("*"))
    with RawPeer(node.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(STORAGE_ID, 3, c_store_rq(uid)), pdv(STORAGE_ID, 2, b"\0" * 1000)))
        answer = peer.receive()
        assert answer is not None
        assert (answer[0], status_of(answer[1])) == (P_DATA_TF, 0x0117)
        peer.send(p_data(pdv(VERIFICATION_ID, 3, c_echo_rq())))  # the association goes on
        answer = peer.receive()
        assert answer is not None
        assert (answer[0], status_of(answer[1])) == (P_DATA_TF, 0x0000)
    assert sorted(installed.intake.store.root.rglob("*")) == before
    assert installed.instances() == []


def test_a_command_in_many_pieces_is_one_command(node: Node) -> None:
    echo_rq = c_echo_rq()
    with RawPeer(node.port) as peer:
        peer.associate()
        for at in range(0, len(echo_rq), 7):
            last = 2 if at + 7 >= len(echo_rq) else 0
            peer.send(p_data(pdv(VERIFICATION_ID, 1 | last, echo_rq[at : at + 7])))
        answer = peer.receive()
        assert answer is not None
        assert status_of(answer[1]) == 0x0000
