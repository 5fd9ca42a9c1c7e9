"""A DICOMweb service to send to: what an address may be, and where its token may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicom_node.web_peer import WebPeer, open_session, read_web_peer
from service.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "pacs/dicom-web",
        "ftp://pacs/",
        "https://",
        "https://user:secret@pacs/",
        "https://pacs/?token=secret",
        "https://p/#x",
    ],
)
def test_an_address_that_cannot_be_one_is_said_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="WEB_PEER_INVALID") as caught:
        WebPeer(url)
    assert "secret" not in str(caught.value)


def test_a_token_goes_over_tls_or_to_this_machine_only() -> None:
    with pytest.raises(ConfigurationError, match="TOKEN_NEEDS_TLS"):
        WebPeer("http://pacs/dicom-web", token="secret")
    for url in ("https://pacs/dicom-web", "http://127.0.0.1:8042/dicom-web", "http://localhost/", "http://[::1]/"):
        assert "secret" not in repr(WebPeer(url, token="secret"))


def test_the_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret\n")
    peer = read_web_peer("https://pacs/dicom-web/", token_file=file)
    assert peer.token == "secret"
    assert peer.address("studies") == "https://pacs/dicom-web/studies"
    session = open_session(peer)
    assert session.headers["Authorization"] == "Bearer secret"
    assert session.trust_env is False


@pytest.mark.parametrize("content", ["", "two\nlines", "grün"])
def test_a_token_file_that_holds_none_is_said_so(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(ConfigurationError):
        read_web_peer("https://pacs/", token_file=file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no-such-file"):
        read_web_peer("https://pacs/", ca_file=tmp_path / "no-such-file")
