"""Mutual TLS, in and out (PS3.15 §B.12): who gets through, who does not, and what is said about the files."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.certificate_dates import validity
from dicom_node.store_scu import Outcome, Peer, echo, send
from dicom_node.tls import TlsFiles, client_context, server_context
from service.errors import ConfigurationError
from tests.dicom_node.factories import radiograph
from tests.dicom_node.raw_peer import RawPeer, associate_rq
from tests.dicom_node.running_node import MODALITY, Installation, as_received, installation
from tests.peers.certificates import Authority, authority
from tests.peers.dcmtk import Dcmtk
from tests.peers.process import free_port, running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls") / "site")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls") / "stranger")


@pytest.fixture(scope="module")
def ours(site: Authority) -> TlsFiles:
    return site.issue("softray")


@pytest.fixture(scope="module")
def theirs(site: Authority) -> TlsFiles:
    return site.issue("modality")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


@pytest.fixture
def node(installed: Installation, ours: TlsFiles) -> Iterator[Node]:
    limits = AssociationLimits(acse_timeout_s=2.0)
    running_node = Node(NodeAddress("SOFTRAY", "127.0.0.1", 0, 0), limits, installed.intake, server_context(ours))
    running_node.start()
    try:
        yield running_node
        assert echo(Peer("SOFTRAY", "127.0.0.1", running_node.port), calling_ae_title=MODALITY).ok
    finally:
        running_node.stop(finish_s=0.2, refuse_s=0.2)


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = [record.fields for record in caplog.records if record.message == "tls_handshake_failed"]  # type: ignore[attr-defined]
        if found:
            assert all(fields["address"] == "127.0.0.1" for fields in found)
            return [fields["reason_code"] for fields in found]
        time.sleep(0.02)
    return []


def stored_file(folder: Path) -> Path:
    path = folder / "image.dcm"
    path.write_bytes(b"".join(as_received(radiograph()).file_parts()))
    return path


def test_an_instance_arrives_encrypted_and_ends_in_the_same_registry(
    node: Node, installed: Installation, theirs: TlsFiles, tmp_path: Path
) -> None:
    peer = Peer("SOFTRAY", "127.0.0.1", node.tls_port, client_context(theirs))
    (result,) = send([stored_file(tmp_path)], peer, calling_ae_title=MODALITY)
    assert result.outcome is Outcome.SENT
    assert len(installed.instances()) == len(installed.jobs()) == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(node: Node, theirs: TlsFiles, version: ssl.TLSVersion) -> None:
    context = client_context(theirs)
    context.minimum_version = context.maximum_version = version
    assert echo(Peer("SOFTRAY", "127.0.0.1", node.tls_port, context), calling_ae_title=MODALITY).ok


def test_tls_1_1_is_not(node: Node, theirs: TlsFiles) -> None:
    context = client_context(theirs)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert not echo(Peer("SOFTRAY", "127.0.0.1", node.tls_port, context), calling_ae_title=MODALITY).ok


def test_a_client_without_a_certificate_gets_no_association_and_a_line_in_the_log(
    node: Node, site: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    context = ssl.create_default_context(cafile=site.certificate)
    with caplog.at_level(logging.WARNING):
        assert not echo(Peer("SOFTRAY", "127.0.0.1", node.tls_port, context), calling_ae_title=MODALITY).ok
        assert reasons(caplog) == ["PEER_DID_NOT_RETURN_A_CERTIFICATE"]


def test_a_certificate_of_another_ca_is_refused(
    node: Node, stranger: Authority, ours: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    context = client_context(replace(stranger.issue("intruder"), ca=ours.ca))
    with caplog.at_level(logging.WARNING):
        assert not echo(Peer("SOFTRAY", "127.0.0.1", node.tls_port, context), calling_ae_title=MODALITY).ok
        assert reasons(caplog) == ["CERTIFICATE_VERIFY_FAILED"]


def test_a_plain_association_on_the_tls_port_is_refused(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), RawPeer(node.tls_port) as peer:
        peer.send(associate_rq())
        assert peer.receive() is None or peer.seconds_until_closed() < 2
        assert reasons(caplog) == ["WRONG_VERSION_NUMBER"]


def test_a_handshake_that_stalls_holds_up_nobody(
    node: Node, theirs: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    context = client_context(theirs)
    with caplog.at_level(logging.WARNING):
        stalled = [socket.create_connection(("127.0.0.1", node.tls_port)) for _ in range(20)]
        for half in stalled[:10]:
            half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a ClientHello
        started = time.monotonic()
        assert echo(Peer("SOFTRAY", "127.0.0.1", node.tls_port, context), calling_ae_title=MODALITY).ok
        assert time.monotonic() - started < 2
        stalled[0].settimeout(5)
        assert stalled[0].recv(1) == b""
        assert set(reasons(caplog)) == {"TLS_TIMEOUT"}
    for half in stalled:
        half.close()


def test_the_plain_port_can_be_left_out(installed: Installation, ours: TlsFiles, theirs: TlsFiles) -> None:
    only_tls = Node(
        NodeAddress("SOFTRAY", "127.0.0.1", None, 0), AssociationLimits(), installed.intake, server_context(ours)
    )
    only_tls.start()
    try:
        assert only_tls.port == 0
        peer = Peer("SOFTRAY", "127.0.0.1", only_tls.tls_port, client_context(theirs))
        assert echo(peer, calling_ae_title=MODALITY).ok
    finally:
        only_tls.stop(finish_s=0.2, refuse_s=0.2)


def test_a_tls_port_without_certificates_is_a_mistake_of_configuration(installed: Installation) -> None:
    with pytest.raises(ConfigurationError, match="TLS_NOT_CONFIGURED"):
        Node(NodeAddress("SOFTRAY", "127.0.0.1", 0, 0), AssociationLimits(), installed.intake).start()


def test_a_peer_whose_certificate_names_another_host_gets_nothing(
    installed: Installation, site: Authority, theirs: TlsFiles
) -> None:
    elsewhere = server_context(site.issue("elsewhere", host="pacs.example.org"))
    other = Node(NodeAddress("SOFTRAY", "127.0.0.1", 0, 0), AssociationLimits(), installed.intake, elsewhere)
    other.start()
    try:
        strict = Peer("SOFTRAY", "127.0.0.1", other.tls_port, client_context(theirs))
        assert not echo(strict, calling_ae_title=MODALITY).ok
        lenient = Peer("SOFTRAY", "127.0.0.1", other.tls_port, client_context(theirs, check_host=False))
        assert echo(lenient, calling_ae_title=MODALITY).ok
    finally:
        other.stop(finish_s=0.2, refuse_s=0.2)


@pytest.mark.parametrize("make", [server_context, client_context])
@pytest.mark.parametrize("part", ["certificate", "private_key", "ca"])
def test_a_file_that_is_missing_or_holds_something_else_is_named(
    make: object, part: str, ours: TlsFiles, tmp_path: Path
) -> None:
    gone = dataclasses.replace(ours, **{part: tmp_path / "gone.pem"})
    with pytest.raises(ConfigurationError, match=r"TLS_FILES_INVALID.*gone\.pem"):
        make(gone)  # type: ignore[operator]
    (tmp_path / "odd.pem").write_text("no PEM at all")
    with pytest.raises(ConfigurationError, match=r"TLS_FILES_INVALID.*odd\.pem"):
        make(dataclasses.replace(ours, **{part: tmp_path / "odd.pem"}))  # type: ignore[operator]


def test_a_key_of_another_certificate_is_said_to_be_one(ours: TlsFiles, theirs: TlsFiles) -> None:
    with pytest.raises(ConfigurationError, match="expected the private key of"):
        server_context(replace(ours, private_key=theirs.private_key))


def test_an_expired_certificate_is_said_to_have_ended(site: Authority) -> None:
    expired = site.issue("expired", days=-1)
    assert validity(expired.certificate.read_text()).not_after.isoformat() == "2020-02-01T00:00:00+00:00"
    with pytest.raises(ConfigurationError, match="found one that ended on 2020-02-01"):
        server_context(expired)


@pytest.mark.interop
def test_dcmtk_sends_to_us_over_mutual_tls(
    node: Node, installed: Installation, theirs: TlsFiles, dcmtk: Dcmtk, tmp_path: Path
) -> None:
    path = stored_file(tmp_path)
    secure = ("+tls", str(theirs.private_key), str(theirs.certificate), "+cf", str(theirs.ca))
    assert dcmtk.storescu(node.tls_port, path, calling=MODALITY, options=secure) == 0
    assert len(installed.instances()) == 1
    anonymous = ("+tla", "+cf", str(theirs.ca))
    assert dcmtk.storescu(node.tls_port, path, calling=MODALITY, options=anonymous) != 0
    assert dcmtk.storescu(node.tls_port, path, calling=MODALITY) != 0


@pytest.mark.interop
def test_we_send_to_dcmtk_over_mutual_tls(dcmtk: Dcmtk, ours: TlsFiles, theirs: TlsFiles, tmp_path: Path) -> None:
    assert shutil.which("storescp")
    port, received = free_port(), tmp_path / "received"
    received.mkdir()
    command = ["storescp", "+tls", theirs.private_key, theirs.certificate, "+cf", theirs.ca, "-od", received, str(port)]
    peer = Peer("STORESCP", "127.0.0.1", port, client_context(ours))
    ready = lambda: echo(peer, calling_ae_title="SOFTRAY", timeout_s=2).ok  # noqa: E731
    with running([str(word) for word in command], tmp_path / "storescp.log", ready):
        (result,) = send([stored_file(tmp_path)], peer, calling_ae_title="SOFTRAY")
        assert result.outcome is Outcome.SENT
        (plain,) = send([stored_file(tmp_path)], replace(peer, tls=None), calling_ae_title="SOFTRAY", timeout_s=3)
        assert plain.outcome is Outcome.RETRY
    assert len(list(received.iterdir())) == 1


def test_no_private_key_is_read_that_needs_a_password(ours: TlsFiles, tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", str(ours.private_key), "-out", str(locked), "-passout", "pass:secret"],
        check=True,
        capture_output=True,
    )
    with pytest.raises(ConfigurationError, match="without a password"):
        server_context(replace(ours, private_key=locked))
