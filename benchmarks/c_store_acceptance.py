"""C-STORE acceptance: softray's node beside DCMTK's storescp and Orthanc, the same sender and images, in one run.

softray answers only after the file is fsynced and the rows are committed; storescp writes files and nothing else;
Orthanc writes files and its index. Run: python -m benchmarks.c_store_acceptance [--images N] [--rounds N]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.peers.orthanc import running_orthanc
from tests.radiographs import another_instance, phantom_file
from tests.service_process import free_port, installation, wait_for

console = Console()
SENDERS = 4
SIDE = 2021
SOFTRAY = "softray (files fsynced + registry)"


@dataclass(frozen=True)
class Receiver:
    """Something that answers C-STORE on this machine."""

    name: str
    ae_title: str
    port: int


def main() -> None:
    """Print seconds and images per second for every receiver that is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=40, help="images per round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts")
    options = parser.parse_args()
    if shutil.which("storescu") is None:
        raise SystemExit("the sender is DCMTK's storescu, which is not installed (make peers)")
    seconds: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number in track(range(options.rounds), "rounds", console=console):
            folder = Path(temporary) / str(number)
            images = _images(folder / "images", options.images)
            for start in (_softray, _storescp, _orthanc):
                with start(folder / start.__name__) as receiver:
                    if receiver is not None:
                        measured = (_spread(images, receiver), _single(images, receiver))
                        seconds.setdefault(receiver.name, []).append(measured)
            shutil.rmtree(folder)
    console.print(f"{options.images} DX images of {SIDE * SIDE * 2 / 1e6:.1f} MB, median of {options.rounds} rounds")
    table = Table("receiver", "4 senders, an association an image", "one association", "images/s (4 senders)")
    for name, rounds in seconds.items():
        spread, single = (statistics.median(times) for times in zip(*rounds, strict=True))
        table.add_row(name, f"{spread:.2f} s", f"{single:.2f} s", f"{options.images / spread:.1f}")
    console.print(table)
    _print_ratios(seconds)
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors (senders included)")


def _print_ratios(seconds: dict[str, list[tuple[float, float]]]) -> None:
    """How many times softray's rate is another's, round by round, so that what else the machine did cancels out."""
    ours = seconds[SOFTRAY]
    for name, theirs in seconds.items():
        if name == SOFTRAY:
            continue
        spread = statistics.median(their / our for (our, _), (their, _) in zip(ours, theirs, strict=True))
        single = statistics.median(their / our for (_, our), (_, their) in zip(ours, theirs, strict=True))
        console.print(f"softray's rate is {spread:.2f} times (4 senders), {single:.2f} times (one) that of {name}")


def _images(folder: Path, count: int) -> list[Path]:
    first = phantom_file(folder, side=SIDE)
    return [first] + [another_instance(first, folder, f"{n}.dcm") for n in range(1, count)]


def _spread(images: list[Path], receiver: Receiver) -> float:
    """Seconds for four senders at a time, one image an association."""
    started = time.monotonic()
    waiting = list(images)
    running: list[subprocess.Popen[bytes]] = []
    while waiting or running:
        while waiting and len(running) < SENDERS:
            running.append(subprocess.Popen(_storescu(receiver, [waiting.pop()])))
        for process in running:
            if process.poll() not in (None, 0):
                raise SystemExit(f"{receiver.name} did not take an image (storescu exit {process.returncode})")
        running = [process for process in running if process.poll() is None]
        time.sleep(0.002)
    return time.monotonic() - started


def _single(images: list[Path], receiver: Receiver) -> float:
    """Seconds for all images over one association."""
    again = [another_instance(path, path.parent, f"again-{path.name}") for path in images]
    started = time.monotonic()
    subprocess.run(_storescu(receiver, again), check=True)
    return time.monotonic() - started


def _storescu(receiver: Receiver, images: list[Path]) -> list[str]:
    address = ["-aet", "BENCH", "-aec", receiver.ae_title, "127.0.0.1", str(receiver.port)]
    return ["storescu", "--max-pdu", "131072", *address, *map(str, images)]


@contextlib.contextmanager
def _softray(folder: Path) -> Iterator[Receiver | None]:
    with installation(folder, ACCEPT_UNKNOWN_CALLERS="true", LOG_LEVEL="WARNING") as service:
        service.start("node")
        yield Receiver(SOFTRAY, "SOFTRAY", service.settings.dicom_port)


@contextlib.contextmanager
def _storescp(folder: Path) -> Iterator[Receiver | None]:
    if shutil.which("storescp") is None:
        yield None
        return
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        ["storescp", "--fork", "--max-pdu", "131072", "-od", str(folder), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("storescp", lambda: _answers(port), 20)
        yield Receiver("DCMTK storescp --fork (files)", "STORESCP", port)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _orthanc(folder: Path) -> Iterator[Receiver | None]:
    if shutil.which("Orthanc") is None:
        yield None
        return
    folder.mkdir()
    with running_orthanc(folder) as orthanc:
        yield Receiver("Orthanc (files + index)", orthanc.ae_title, orthanc.dicom_port)


def _answers(port: int) -> bool:
    return subprocess.run(["echoscu", "127.0.0.1", str(port)], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
