"""PDU fuzzing over real connections: whatever is sent, the node answers C-ECHO afterwards and keeps nothing of it.

SOFTRAY_FUZZ_CASES sets how many conversations are tried (`make fuzz`: 10,000).
"""

from __future__ import annotations

import logging
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dicom_node.application_entity import AssociationLimits, Node
from dicom_node.store_scu import Peer, echo
from tests.dicom_node.pdu_fuzz import conversations
from tests.dicom_node.raw_peer import RawPeer, associate_rq
from tests.dicom_node.running_node import MODALITY, Installation, installation, listening

CASES = int(os.environ.get("SOFTRAY_FUZZ_CASES", "300"))


class Failures(logging.Handler):
    """Log records that tell of a defect of ours: a traceback, or an error."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        out_of_step = "InvalidEvent" in str(getattr(record, "fields", ""))
        if record.exc_info or record.levelno >= logging.ERROR or out_of_step:
            self.found.append(f"{record.name} {record.getMessage()} {getattr(record, 'fields', '')}")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def settled(node: Node, within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while node.connections and time.monotonic() < deadline:
        time.sleep(0.02)
    return not node.connections


def converse(port: int, *, associated: bool, sent: bytes) -> str:
    """How the node ended the conversation: by a PDU type, or by closing."""
    last = "closed"
    with RawPeer(port, timeout_s=20) as peer:
        try:
            if associated:
                peer.send(associate_rq())
                peer.receive()
            peer.send(sent)
            peer.socket.shutdown(1)  # no more comes: half a PDU is not waited for
            while (answer := peer.receive()) is not None:
                last = f"PDU {answer[0]}"
        except ConnectionError:
            last = "closed"
    return last


def test_whatever_is_sent_the_node_goes_on_and_nothing_is_left(
    installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = Failures()
    logging.getLogger().addHandler(failures)
    endings: dict[str, int] = {}
    try:
        with listening(installed, AssociationLimits(acse_timeout_s=5, network_timeout_s=5)) as node:
            here = Peer("SOFTRAY", "127.0.0.1", node.port)
            assert echo(here, calling_ae_title=MODALITY).ok
            assert settled(node)
            threads, files = threading.active_count(), open_files()
            started = time.monotonic()

            @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(conversations())
            def each(conversation: tuple[bool, bytes]) -> None:
                associated, sent = conversation
                ending = converse(node.port, associated=associated, sent=sent)
                endings[ending] = endings.get(ending, 0) + 1
                found, failures.found = failures.found, []  # what shrinks must start afresh
                assert not found, found

            each()
            seconds = time.monotonic() - started
            assert settled(node)
            assert echo(here, calling_ae_title=MODALITY).ok
            assert settled(node)
            assert node.slots.taken == 0
            left = (threading.active_count() - threads, open_files() - files)
            tried = sum(endings.values())
    finally:
        logging.getLogger().removeHandler(failures)
    temporary = list((installed.intake.store.root / "tmp").iterdir())
    with capsys.disabled():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"\nfuzz: {tried} conversations in {seconds:.1f} s, ended by {dict(sorted(endings.items()))}; threads left "
            f"{left[0]}, files left {left[1]}, temporary files left {len(temporary)}, errors logged "
            f"{len(failures.found)}, peak memory {peak} MiB"
        )
    assert tried >= CASES
    assert left == (0, 0)
    assert temporary == []
    assert not failures.found
