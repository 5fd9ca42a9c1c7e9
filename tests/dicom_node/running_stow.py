"""The STOW-RS server on a free port over a real registry and store, and requests to it as a sender writes them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import httpx
from pydicom.dataset import Dataset

from dicom_node.multipart_related import PartLimits
from dicom_node.received_instance import ReceivedInstance
from dicom_node.stow_admission import ANONYMOUS_AE_TITLE, StowTerms
from dicom_node.stow_app import create_stow_app
from dicom_node.stow_server import StowServer
from service.settings import Settings
from tests.dicom_node.running_node import Installation, as_received

BOUNDARY = "softray-test-boundary"
TERMS = StowTerms(
    tokens=None,
    max_requests=25,
    parts=PartLimits(max_parts=100, max_part_bytes=64 << 20, max_total_bytes=256 << 20),
    silence_s=10.0,
)


@dataclass(frozen=True)
class Stow:
    """A running server; `answer` sends a request to it."""

    url: str
    server: StowServer

    def answer(
        self,
        files: Sequence[bytes],
        *,
        study: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        address = f"{self.url}/studies" + (f"/{study}" if study is not None else "")
        return httpx.post(
            address,
            content=multipart(*files) if body is None else body,
            headers=content_type() | (headers or {}),
            timeout=30,
            trust_env=False,
        )


def content_type(boundary: str = BOUNDARY) -> dict[str, str]:
    return {"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}'}


def multipart(*files: bytes, media_type: str = "application/dicom") -> bytes:
    parts = b"".join(f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode() + f + b"\r\n" for f in files)
    return parts + f"--{BOUNDARY}--\r\n".encode()


def file_of(dataset: Dataset, **changes: object) -> bytes:
    """The dataset as a DICOM file; `changes` as for `as_received`."""
    return file_with(as_received(dataset, **changes))  # type: ignore[arg-type]


def file_with(received: ReceivedInstance) -> bytes:
    return b"".join(received.file_parts())


@contextlib.contextmanager
def stow_listening(
    installed: Installation, *, terms: StowTerms = TERMS, settings: Settings | None = None, **intake_changes: object
) -> Iterator[Stow]:
    changes = {"shutting_down": threading.Event()} | intake_changes
    intake = replace(installed.intake, **changes)  # type: ignore[arg-type]
    configured = settings or Settings(stow_host="127.0.0.1")
    server = StowServer(create_stow_app(intake, terms), configured, 0)
    server.start()
    scheme = "https" if configured.stow_certificate_file else "http"
    try:
        yield Stow(f"{scheme}://127.0.0.1:{server.port}", server)
    finally:
        server.stop()


def anonymous(installed: Installation) -> Installation:
    """Let whoever has no token send."""
    installed.add_caller(ANONYMOUS_AE_TITLE)
    return installed
