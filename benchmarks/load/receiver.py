"""The receiving PACS: DCMTK's storescp, a process for each association, whose log says what came and how often."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load.dcmtk_log import DCMTK_ENVIRONMENT, timed_lines, write_log_configuration
from tests.peers.dcmtk import Dcmtk
from tests.peers.process import free_port, running

STORING = "storing DICOM file: "
ASSOCIATION = "Association Received"
RELEASE = "Association Release"


class Receiver:
    """A storescp; `folder` holds what it received.

    `associations`: how many there were so far; `released`: how many of them ended as they should.
    """

    def __init__(self, ae_title: str, port: int, folder: Path, log: Path) -> None:
        self.ae_title = ae_title
        self.port = port
        self.folder = folder
        self.associations = self.released = 0
        self._log = log
        self._read_bytes = 0
        self._received: Counter[str] = Counter()
        self._reading = threading.Lock()

    def received(self) -> Counter[str]:
        """How often each SOP Instance UID was received so far."""
        with self._reading:
            self._read_on()
            return self._received.copy()

    def number_received(self) -> int:
        """How many different instances were received so far."""
        with self._reading:
            self._read_on()
            return len(self._received)

    def path_of(self, sop_instance_uid: str) -> Path:
        """The file of a received instance."""
        return self.folder / f"DX.{sop_instance_uid}"

    def _read_on(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._read_bytes)
            whole, line_end, _ = log.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(line_end)
        for _, message in timed_lines(whole.decode(errors="replace")):
            if message.startswith(STORING):
                self._received[message.rsplit("/", 1)[1].partition(".")[2]] += 1
            elif message.startswith(ASSOCIATION):
                self.associations += 1
            elif message == RELEASE:
                self.released += 1


@contextlib.contextmanager
def running_receiver(folder: Path, ae_title: str = "ARCHIVE") -> Iterator[Receiver]:
    """A storescp that keeps everything in `folder`."""
    kept = folder / "received"
    kept.mkdir(parents=True)
    peer = Receiver(ae_title, free_port(), kept, folder / "storescp.log")
    options = ["--fork", "--max-pdu", "131072", "--log-config", str(write_log_configuration(folder))]
    command = ["storescp", *options, "-aet", ae_title, "-od", str(kept), str(peer.port)]

    def answers() -> bool:
        return Dcmtk().echoscu(peer.port, called=ae_title) == 0

    with running(command, folder / "storescp.log", answers, environment=DCMTK_ENVIRONMENT):
        yield peer
