"""Audit messages over TLS: RFC 5424 messages, counted octets of RFC 5425, as PS3.15 A.6 transports them.

Syslog has no answer. What the receiver's system has acknowledged is therefore asked of our own (`SIOCOUTQ`): a batch
counts as sent when no octet of it is still on the way.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import ssl
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from service.audit.chain import ChainedEvent
from service.audit.dicom_message import AuditSource, to_xml
from service.errors import ConfigurationError, TransientError

PRIORITY = 10 * 8 + 5  # facility authpriv, severity notice
MESSAGE_ID = "DICOM+RFC3881"  # PS3.15 A.6
DEFAULT_PORT = 6514  # RFC 5425 section 4.1
_SEQUENCE_IDS = 2147483647  # RFC 5424 section 7.3.1


@dataclass(frozen=True)
class Repository:
    """Where messages go and how it is trusted: `ca_file` None means the public authorities.

    `certificate` and `private_key` are ours, for a repository that asks for one (PS3.15 B.1 does).
    """

    host: str
    port: int = DEFAULT_PORT
    ca_file: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    timeout_s: float = 15.0


def repository_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST` or `HOST:PORT`. Raises ConfigurationError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        host, port = text.strip(), str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigurationError("AUDIT_REPOSITORY_INVALID", "expected HOST or HOST:PORT of the audit repository")
    return host.strip("[]"), int(port)


def to_syslog(event: ChainedEvent, source: AuditSource) -> bytes:
    """The RFC 5424 message of one event, without a frame; all of it is ASCII."""
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    order = f'[meta sequenceId="{(event.seq - 1) % _SEQUENCE_IDS + 1}"]'
    head = f"<{PRIORITY}>1 {at} {_host_name()} softray {os.getpid()} {MESSAGE_ID} {order} "
    return (head + to_xml(event, source)).encode("ascii")


def framed(message: bytes) -> bytes:
    """`MSG-LEN SP SYSLOG-MSG` (RFC 5425 section 4.3)."""
    return b"%d %s" % (len(message), message)


class SyslogConnection:
    """An open connection to the repository. Raises TransientError when it cannot be made."""

    def __init__(self, repository: Repository) -> None:
        self._timeout_s = repository.timeout_s
        context = _context(repository)
        try:
            plain = socket.create_connection((repository.host, repository.port), timeout=repository.timeout_s)
            try:
                self._socket = context.wrap_socket(plain, server_hostname=repository.host)
            except BaseException:
                plain.close()
                raise
        except OSError as error:
            raise _unreachable(error) from error

    def send(self, messages: Sequence[bytes]) -> None:
        """Send `messages` in their order; returns when the receiver's system has all of them.

        Raises TransientError when that is not known: they are to be sent again over a new connection.
        """
        try:
            self._require_open()
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(b"".join(framed(message) for message in messages))
            self._drain()
            self._require_open()
        except OSError as error:
            raise _unreachable(error) from error

    def close(self) -> None:
        """End the connection in order, so that what was sent is not thrown away at the other end."""
        try:
            self._socket.settimeout(2.0)
            self._socket.unwrap().close()
        except OSError:
            self._socket.close()

    def _require_open(self) -> None:
        """A repository sends nothing; what can be read is the end of the connection, or TLS's own business."""
        self._socket.settimeout(0.0)
        try:
            if not self._socket.recv(4096):
                raise ConnectionError("the repository closed the connection")
        except (ssl.SSLWantReadError, BlockingIOError):
            return

    def _drain(self) -> None:
        if sys.platform != "linux":
            return
        unsent = array.array("i", [0])
        deadline = time.monotonic() + self._timeout_s
        while True:
            fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, unsent)
            if unsent[0] == 0:
                return
            if time.monotonic() > deadline:
                raise TimeoutError("the repository does not take what is sent")
            time.sleep(0.005)


def _context(repository: Repository) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=repository.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if repository.certificate is not None:
            context.load_cert_chain(repository.certificate, repository.private_key)
    except (OSError, ssl.SSLError) as error:
        words = f"expected readable certificate files for the audit repository, found: {error.strerror or error}"
        raise ConfigurationError("AUDIT_CERTIFICATE_INVALID", words) from None
    return context


def _unreachable(error: OSError) -> TransientError:
    reason = error.strerror or type(error).__name__
    return TransientError("AUDIT_REPOSITORY_UNREACHABLE", f"the audit repository cannot be reached: {reason}")


def _host_name() -> str:
    """HOSTNAME of RFC 5424: printable ASCII without spaces, 1 to 255 characters."""
    name = "".join(c for c in socket.gethostname() if "!" <= c <= "~")
    return name[:255] or "-"
