"""Modalities that send at the same time: DCMTK's storescu, each an AE title and a thread that waits for it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import environ
from pathlib import Path

from benchmarks.load.dcmtk_log import DCMTK_ENVIRONMENT, timed_lines, write_log_configuration
from benchmarks.load.radiographs import Radiograph

SENDING = "Sending file: "
ACCEPTED = "Received Store Response (Success)"


@dataclass
class Acceptance:
    """What the senders were told. `seconds`: from the start of each acknowledged C-STORE to its answer."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    """SOP Instance UID: when it was acknowledged, in seconds since 1970."""
    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """SOP Instance UIDs whose C-STORE was answered with another status, or not at all."""
    rejected_associations: int = 0
    associations: list[tuple[float, float]] = field(default_factory=list)
    """When each accepted association began and ended, in seconds since 1970."""

    def most_at_once(self) -> int:
        """The largest number of associations that stood at the same moment."""
        changes = sorted([(begun, 1) for begun, _ in self.associations] + [(end, -1) for _, end in self.associations])
        standing = most = 0
        for _, change in changes:
            standing += change
            most = max(most, standing)
        return most


@dataclass(frozen=True)
class Modalities:
    """`count` senders to the node on `port`, each sending `batch` images an association."""

    folder: Path
    port: int
    count: int
    batch: int
    called: str = "SOFTRAY"
    calling: str = "MODALITY"

    def send(self, radiographs: Sequence[Radiograph], may_go_on: Callable[[int], bool] = lambda _: True) -> Acceptance:
        """Send all of them; `may_go_on(acknowledged so far)` False lets every sender wait before its next association.

        A batch is sent once: what was not acknowledged is told, not sent again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = write_log_configuration(self.folder)
        batches = _in_batches(radiographs, self.batch)
        heard, lock = Acceptance(), threading.Lock()

        def work(number: int) -> None:
            while True:
                with lock:
                    batch = next(batches, None)
                if batch is None:
                    return
                while not may_go_on(len(heard.acknowledged)):
                    time.sleep(0.05)
                log = self._storescu(configuration, f"{self.calling}{number}", batch)
                with lock:
                    _read(log, batch, heard)

        with ThreadPoolExecutor(max_workers=self.count) as pool:
            for done in [pool.submit(work, number) for number in range(self.count)]:
                done.result()
        return heard

    def _storescu(self, configuration: Path, calling: str, batch: Sequence[Radiograph]) -> str:
        address = ["-aet", calling, "-aec", self.called, "127.0.0.1", str(self.port)]
        files = [str(radiograph.path) for radiograph in batch]
        sent = subprocess.run(
            ["storescu", "--no-halt", "--log-config", str(configuration), *address, *files],
            env={**environ, **DCMTK_ENVIRONMENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        return sent.stdout


def _in_batches(radiographs: Sequence[Radiograph], size: int) -> Iterator[Sequence[Radiograph]]:
    return (radiographs[start : start + size] for start in range(0, len(radiographs), size))


def _read(log: str, batch: Sequence[Radiograph], heard: Acceptance) -> None:
    uids = {str(radiograph.path): radiograph.sop_instance_uid for radiograph in batch}
    sending: tuple[str, float] | None = None
    begun = last = 0.0
    for at, message in timed_lines(log):
        last = at
        if message.startswith(SENDING):
            sending = (uids[message.removeprefix(SENDING).strip()], at)
        elif message.startswith(ACCEPTED) and sending is not None:
            heard.acknowledged[sending[0]] = at
            heard.seconds.append(at - sending[1])
        elif message.startswith("Association Accepted"):
            begun = at
        elif "Association Rejected" in message:
            heard.rejected_associations += 1
    if begun:
        heard.associations.append((begun, last))
    heard.refused += [uid for uid in uids.values() if uid not in heard.acknowledged]
