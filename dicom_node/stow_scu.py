"""Sending stored instances to a DICOMweb service by STOW-RS (PS3.18 §10.5): the other way out beside C-STORE.

One request for a batch, one answer for every instance: an instance is SENT only when the peer lists it as stored, or
answers 200, by which it says that it stored them all. The files go out as they lie on disk, byte for byte, and are read
while they are sent. Meanings of answers and codes are those of `store_scu`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from pydicom.filereader import read_file_meta_info

from dicom_node.status import PROCESSING_FAILURE, SUCCESS, Outcome, meaning_of
from dicom_node.store_scu import StoreResult
from dicom_node.stow_answer import StowAnswer, read_answer
from dicom_node.web_peer import CONNECTION_TIMEOUT_S, WebFailure, WebPeer, failure_of, failure_of_status, open_session

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_READ_BYTES = 1024 * 1024
# What a whole request is refused for may be the fault of one instance in it.
_PERHAPS_ONE_OF_THEM = frozenset({400, 409, 413, 415})


@dataclass(frozen=True)
class _Outgoing:
    path: Path
    sop_instance_uid: str
    size_bytes: int


@dataclass(frozen=True)
class _Answer:
    http_status: int
    listed: StowAnswer | None


def store(paths: Sequence[Path], peer: WebPeer, *, timeout_s: float = 60.0) -> list[StoreResult]:
    """Send the DICOM files `paths` in one request; one result per path, in order.

    `timeout_s` bounds each wait for the peer. Errors of network, peer and files become results; nothing is raised.
    """
    opened = [_open(path) for path in paths]
    outgoing = [instance for instance in opened if isinstance(instance, _Outgoing)]
    sent: Iterator[StoreResult] = iter(())
    if outgoing:
        with open_session(peer) as session:
            sent = iter(_send(session, peer, outgoing, timeout_s))
    return [next(sent) if isinstance(instance, _Outgoing) else instance for instance in opened]


def _open(path: Path) -> _Outgoing | StoreResult:
    try:
        return _Outgoing(path, str(read_file_meta_info(path).MediaStorageSOPInstanceUID), path.stat().st_size)
    except Exception as error:
        detail = f"expected a DICOM file, found {type(error).__name__}"
        return StoreResult("", Outcome.REFUSED, None, "FILE_UNREADABLE", detail)


def _send(session: requests.Session, peer: WebPeer, outgoing: list[_Outgoing], timeout_s: float) -> list[StoreResult]:
    answer = _post(session, peer, outgoing, timeout_s)
    if isinstance(answer, WebFailure):
        return [_without_answer(instance, answer) for instance in outgoing]
    if answer.listed is None and answer.http_status in _PERHAPS_ONE_OF_THEM and len(outgoing) > 1:
        return [result for instance in outgoing for result in _send(session, peer, [instance], timeout_s)]
    return [_result(instance, answer, alone=len(outgoing) == 1) for instance in outgoing]


def _post(
    session: requests.Session, peer: WebPeer, outgoing: list[_Outgoing], timeout_s: float
) -> _Answer | WebFailure:
    body = _Body(outgoing)
    try:
        with session.post(
            peer.address("studies"),
            data=body,
            headers={"Content-Type": body.content_type, "Accept": "application/dicom+json"},
            timeout=(min(timeout_s, CONNECTION_TIMEOUT_S), timeout_s),
            allow_redirects=False,  # a redirected POST would become a GET
            stream=True,
        ) as response:
            return _Answer(response.status_code, read_answer(_bounded(response, timeout_s)))
    except Exception as error:
        return failure_of(error)


def _bounded(response: requests.Response, timeout_s: float) -> bytes:
    """The body of the answer; what is longer, or takes longer, counts as an answer that says nothing."""
    deadline = time.monotonic() + timeout_s
    body = bytearray()
    for piece in response.iter_content(65536):
        body += piece
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
            return b""
    return bytes(body)


def _result(instance: _Outgoing, answer: _Answer, *, alone: bool) -> StoreResult:
    uid, listed = instance.sop_instance_uid, answer.listed
    if listed is None:
        if answer.http_status == 200:
            return StoreResult(uid, Outcome.SENT, SUCCESS, "STORED", "HTTP 200: all stored")
        return _without_answer(instance, failure_of_status(answer.http_status))
    if uid in listed.failed:
        return _failed(uid, listed.failed[uid])
    if uid in listed.stored:
        warning = listed.stored[uid]
        if warning:
            detail = f"0x{warning:04X} stored, with a warning"
            return StoreResult(uid, Outcome.SENT, warning, "STORED_WITH_WARNING", detail)
        return StoreResult(uid, Outcome.SENT, SUCCESS, "STORED", "0x0000 stored")
    if alone and listed.other_failures:
        return _failed(uid, listed.other_failures[0])
    return _without_answer(instance, failure_of_status(answer.http_status))


def _failed(uid: str, reason: int) -> StoreResult:
    meaning = meaning_of(reason or PROCESSING_FAILURE)  # 0 is no reason to fail for
    return StoreResult(uid, meaning.outcome, reason, meaning.code, f"0x{reason:04X} {meaning.meaning}")


def _without_answer(instance: _Outgoing, failure: WebFailure) -> StoreResult:
    return StoreResult(instance.sop_instance_uid, failure.outcome, None, failure.code, failure.detail)


class _Body:
    """The multipart/related body of files, read while it is sent; its length is known, so nothing is chunked."""

    def __init__(self, outgoing: Sequence[_Outgoing]) -> None:
        boundary = uuid.uuid4().hex  # 128 random bits: in no file
        self.content_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        self._head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._end = f"--{boundary}--\r\n".encode()
        self._outgoing = outgoing

    def __len__(self) -> int:
        return sum(len(self._head) + o.size_bytes + 2 for o in self._outgoing) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        for instance in self._outgoing:
            yield self._head
            with instance.path.open("rb") as file:
                while piece := file.read(_READ_BYTES):
                    yield piece
            yield b"\r\n"
        yield self._end
