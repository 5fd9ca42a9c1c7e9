"""A remote DICOMweb service that we send to and ask: where it is, who we are to it, and what its failures mean.

What the peer may accept later is RETRY: it is away, busy, or being configured (a token that is not known yet, another
address). What it will never accept is REFUSED. Neither the token nor what a peer wrote is ever repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from dicom_node.loopback import is_loopback
from dicom_node.status import Outcome
from service.errors import ConfigurationError

CONNECTION_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class WebPeer:
    """The root of a DICOMweb service (`https://pacs/dicom-web`), our bearer token, and the files of TLS, all PEM.

    `ca_file` None: the authorities that `certifi` knows. Raises ConfigurationError for what cannot be one.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError("WEB_PEER_INVALID", "expected an address like https://pacs.example/dicom-web")
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError("WEB_PEER_INVALID", "expected no password in the address: name a token file")
        if self.token is not None and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ConfigurationError("TOKEN_NEEDS_TLS", "a token is sent over https only, or to this machine itself")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token.strip()):
            raise ConfigurationError("WEB_PEER_INVALID", "expected a token of printable ASCII characters")

    def address(self, path: str) -> str:
        """The URL of a resource of the service, such as `studies`."""
        return f"{self.url.rstrip('/')}/{path}"


@dataclass(frozen=True)
class WebFailure:
    """Why there is no answer that could be used, and what that means for the sender."""

    code: str
    detail: str
    outcome: Outcome = Outcome.RETRY


@dataclass(frozen=True)
class _HttpMeaning:
    first: int
    last: int
    code: str
    meaning: str
    outcome: Outcome


# Read from the top: the first range that holds a status gives its meaning.
_HTTP_MEANINGS = (
    _HttpMeaning(200, 299, "NOT_CONFIRMED", "an answer that does not name the instance", Outcome.RETRY),
    _HttpMeaning(300, 399, "HTTP_REDIRECTED", "points to another address", Outcome.RETRY),
    _HttpMeaning(401, 401, "HTTP_NOT_AUTHORISED", "does not know the token", Outcome.RETRY),
    _HttpMeaning(403, 403, "HTTP_NOT_AUTHORISED", "does not allow it", Outcome.RETRY),
    _HttpMeaning(404, 405, "HTTP_NO_SUCH_SERVICE", "offers no such service at this address", Outcome.RETRY),
    _HttpMeaning(406, 406, "HTTP_NOT_SUPPORTED", "does not answer in DICOM JSON", Outcome.REFUSED),
    _HttpMeaning(408, 408, "HTTP_BUSY", "did not wait for the request", Outcome.RETRY),
    _HttpMeaning(413, 413, "HTTP_TOO_LARGE", "takes nothing as large as this", Outcome.REFUSED),
    _HttpMeaning(415, 415, "HTTP_NOT_SUPPORTED", "does not take this media type", Outcome.REFUSED),
    _HttpMeaning(425, 425, "HTTP_BUSY", "asks to come back", Outcome.RETRY),
    _HttpMeaning(429, 429, "HTTP_BUSY", "asks to come back", Outcome.RETRY),
    _HttpMeaning(400, 499, "HTTP_REFUSED", "refuses the request", Outcome.REFUSED),
    _HttpMeaning(503, 503, "HTTP_BUSY", "asks to come back", Outcome.RETRY),
)
_SERVER_ERROR = _HttpMeaning(0, 999, "HTTP_SERVER_ERROR", "failed", Outcome.RETRY)


def read_web_peer(
    url: str,
    *,
    token_file: Path | None = None,
    ca_file: Path | None = None,
    certificate_file: Path | None = None,
    key_file: Path | None = None,
) -> WebPeer:
    """The peer with the token in `token_file`. Raises ConfigurationError when a file cannot be read."""
    for file in (token_file, ca_file, certificate_file, key_file):
        if file is not None and not file.is_file():
            raise ConfigurationError("WEB_PEER_FILE_MISSING", f"expected a file at {file}, found none")
    try:
        token = token_file.read_text(encoding="ascii").strip() if token_file else None
    except (OSError, UnicodeDecodeError) as error:
        message = f"expected a token of ASCII characters in {token_file} ({type(error).__name__})"
        raise ConfigurationError("WEB_PEER_FILE_MISSING", message) from None
    return WebPeer(url, token, ca_file, certificate_file, key_file)


def open_session(peer: WebPeer) -> requests.Session:
    """A session with the peer's credentials. Proxies and passwords of the environment are not used."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(peer.ca_file) if peer.ca_file else True
    if peer.certificate_file:
        pair = (str(peer.certificate_file), str(peer.key_file)) if peer.key_file else str(peer.certificate_file)
        session.cert = pair
    if peer.token is not None:
        session.headers["Authorization"] = f"Bearer {peer.token}"
    return session


def failure_of_status(status: int) -> WebFailure:
    """What an HTTP status means that stands alone, without a list of instances."""
    known = next((m for m in _HTTP_MEANINGS if m.first <= status <= m.last), _SERVER_ERROR)
    return WebFailure(known.code, f"HTTP {status}: the peer {known.meaning}", known.outcome)


def failure_of(error: Exception) -> WebFailure:
    """What an exception means that came instead of an answer."""
    match error:
        case requests.exceptions.SSLError():
            return WebFailure("TLS_FAILED", "no trusted connection: see the certificates of both sides")
        case requests.exceptions.ReadTimeout():
            return WebFailure("NO_ANSWER", "no answer within the timeout")
        case requests.exceptions.ConnectionError() | requests.exceptions.Timeout():
            return WebFailure("CONNECTION_FAILED", "cannot connect, or the connection broke off")
        case _:
            return WebFailure("SENDING_FAILED", f"{type(error).__name__} while sending")
