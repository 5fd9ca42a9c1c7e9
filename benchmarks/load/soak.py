"""Soak: thousands of small radiographs through intake, queue, copy step and delivery; is everything still as at first?

Run: python -m benchmarks.load.soak [--images N] [--senders N] [--backlog N] [--embedded]   (make soak COUNT=N)
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console

from benchmarks.load.database_work import DatabaseWork, database_work
from benchmarks.load.equality import compare
from benchmarks.load.radiographs import Radiograph, write_radiographs
from benchmarks.load.receiver import Receiver, running_receiver
from benchmarks.load.report import print_database, print_equality, print_heading, print_memory, print_stages
from benchmarks.load.senders import Acceptance, Modalities
from benchmarks.load.stages import image_records, stage_times
from benchmarks.load.system import System, running_system
from benchmarks.load.watch import Watch

console = Console(width=140)
BATCH = 25
SILENCE_S = 120.0
"""The run is given up when nothing arrives at the PACS for so long."""


def main() -> None:
    """Send, wait until all is delivered, print the figures; exit code 1 when anything was lost, doubled or altered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--senders", type=int, default=4, help="associations at a time")
    parser.add_argument("--backlog", type=int, default=200, help="senders wait while so many are not delivered yet")
    parser.add_argument("--side", type=int, default=128, help="pixels of a side")
    parser.add_argument("--embedded", action="store_true", help="SQLite and folder broker: no servers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="softray-soak-") as name:
        folder = Path(name)
        radiographs = write_radiographs(folder / "images", options.images, side=options.side)
        with (
            running_receiver(folder / "archive") as archive,
            running_system(
                folder / "system", {"archive": (archive.ae_title, archive.port)}, embedded=options.embedded
            ) as system,
        ):
            modalities = Modalities(folder / "senders", system.service.settings.dicom_port, options.senders, BATCH)
            raise SystemExit(_soak(system, modalities, radiographs, archive, options.backlog))


def _soak(
    system: System, modalities: Modalities, radiographs: list[Radiograph], archive: Receiver, backlog: int
) -> int:
    heard: list[Acceptance] = []

    def send() -> None:
        heard.append(
            modalities.send(radiographs, lambda acknowledged: acknowledged - archive.number_received() < backlog)
        )

    sender = threading.Thread(target=send, name="senders")
    started = time.monotonic()
    with Watch(system.processes, archive.number_received) as watch:
        sender.start()
        work = _until_delivered(system, archive, len(radiographs), sender)
        seconds = time.monotonic() - started
    sender.join()
    [acceptance] = heard
    records = image_records(system.service.sessions)
    print_heading(console, system, len(radiographs), seconds, archive, modalities.count)
    print_stages(console, stage_times(records, system.store, acceptance.seconds))
    print_memory(console, watch)
    print_database(console, work)
    equality = compare(radiographs, acceptance, records, archive)
    print_equality(console, equality)
    return 0 if equality.holds and equality.sent == equality.acknowledged else 1


def _until_delivered(system: System, archive: Receiver, count: int, sender: threading.Thread) -> list[DatabaseWork]:
    """Wait for the last result; the database's counters at every twentieth of the way."""
    work: list[DatabaseWork] = []
    reached, last_change = 0, time.monotonic()
    while reached < count:
        time.sleep(0.5)
        system.require_alive()
        now = archive.number_received()
        if now != reached:
            reached, last_change = now, time.monotonic()
        elif time.monotonic() - last_change > SILENCE_S:
            console.print(f"nothing arrived for {SILENCE_S:g} s after {reached} of {count}\n{system.service.logs()}")
            return work
        if not sender.is_alive() and system.jobs_all_ended():
            break
        if system.database_url is not None and reached >= (len(work) + 1) * count / 20:
            work.append(database_work(system.database_url, reached))
            console.print(f"{reached} of {count} delivered", style="dim")
    return work


if __name__ == "__main__":
    main()
