"""PDUs byte by byte (PS3.8 §9.3), for peers that keep to the Standard no further than a test wants them to."""

from __future__ import annotations

import socket
import struct
import time

from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA_TF, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
VERIFICATION_ID, STORAGE_ID = 1, 3


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBL", kind, 0, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def context(context_id: int, abstract: str, transfer: str) -> bytes:
    return item(
        0x20, bytes([context_id, 0, 0, 0]) + item(0x30, abstract.encode("ascii")) + item(0x40, transfer.encode("ascii"))
    )


def associate_rq(calling: bytes = b"MODALITY", called: bytes = b"SOFTRAY", *, version: int = 1) -> bytes:
    user = item(0x50, item(0x51, struct.pack(">L", 131072)) + item(0x52, b"1.2.3.4"))
    contexts = context(VERIFICATION_ID, Verification, ExplicitVRLittleEndian) + context(
        STORAGE_ID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
    )
    head = struct.pack(">HH", version, 0) + called.ljust(16)[:16] + calling.ljust(16)[:16] + b"\0" * 32
    return pdu(ASSOCIATE_RQ, head + item(0x10, APPLICATION_CONTEXT) + contexts + user)


def pdv(context_id: int, control: int, content: bytes) -> bytes:
    return struct.pack(">LBB", len(content) + 2, context_id, control) + content


def p_data(*values: bytes) -> bytes:
    return pdu(P_DATA_TF, b"".join(values))


def element(number: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHL", 0, number, len(value)) + value


def command_set(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return element(0x0000, struct.pack("<L", len(body))) + body


def c_echo_rq(message_id: int = 1) -> bytes:
    return command_set(
        element(0x0002, Verification.encode("ascii")),
        element(0x0100, struct.pack("<H", 0x0030)),
        element(0x0110, struct.pack("<H", message_id)),
        element(0x0800, struct.pack("<H", 0x0101)),
    )


def c_store_rq(sop_instance_uid: bytes = b"1.2.3") -> bytes:
    return command_set(
        element(0x0002, DigitalXRayImageStorageForPresentation.encode("ascii")),
        element(0x0100, struct.pack("<H", 0x0001)),
        element(0x0110, struct.pack("<H", 1)),
        element(0x0700, struct.pack("<H", 0)),
        element(0x0800, struct.pack("<H", 0x0001)),
        element(0x1000, sop_instance_uid),
    )


def status_of(body: bytes) -> int:
    """Status (0000,0900) of a command set in one presentation data value."""
    at = body.index(b"\x00\x00\x00\x09\x02\x00\x00\x00")
    return int.from_bytes(body[at + 8 : at + 10], "little")


class RawPeer:
    """One TCP connection to 127.0.0.1."""

    def __init__(self, port: int, timeout_s: float = 15) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)

    def __enter__(self) -> RawPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def receive(self) -> tuple[int, bytes] | None:
        """The next PDU as (type, body); None: the connection has ended."""
        head = self._exactly(6)
        if head is None:
            return None
        kind, _, length = struct.unpack(">BBL", head)
        body = self._exactly(length)
        return None if body is None else (kind, body)

    def associate(self) -> None:
        self.send(associate_rq())
        answer = self.receive()
        assert answer is not None
        assert answer[0] == ASSOCIATE_AC, answer

    def seconds_until_closed(self) -> float:
        """Reads whatever comes until the node closes the connection."""
        started = time.monotonic()
        while self.receive() is not None:
            pass
        return time.monotonic() - started

    def _exactly(self, size: int) -> bytes | None:
        content = b""
        while len(content) < size:
            try:
                part = self.socket.recv(size - len(content))
            except ConnectionError:
                return None
            if not part:
                return None
            content += part
        return content
