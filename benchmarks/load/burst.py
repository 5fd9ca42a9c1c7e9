"""Bursts: 500 images as fast as senders can, and 64 senders at the same moment; is all of it accepted, and drained?

Run: python -m benchmarks.load.burst [--images N] [--many N] [--embedded]   (make burst)
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.load.equality import compare
from benchmarks.load.radiographs import write_radiographs
from benchmarks.load.receiver import running_receiver
from benchmarks.load.report import print_equality, print_heading, print_memory, print_stages
from benchmarks.load.senders import Acceptance, Modalities
from benchmarks.load.stages import image_records, stage_times
from benchmarks.load.system import running_system
from benchmarks.load.watch import Watch, wait_until

console = Console(width=140)
DRAINED_WITHIN_S = 1800.0
IMAGES_OF_EACH = 8


def main() -> None:
    """Both bursts; exit code 1 when anything was lost, doubled or altered, or an association was rejected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500, help="images of the first burst, from 8 senders")
    parser.add_argument("--many", type=int, default=64, help="senders of the second, with 8 images each")
    parser.add_argument("--embedded", action="store_true", help="SQLite and folder broker: no servers")
    options = parser.parse_args()
    held = [
        _burst(options.images, senders=8, batch=max(1, options.images // 8), embedded=options.embedded),
        _burst(options.many * IMAGES_OF_EACH, senders=options.many, batch=IMAGES_OF_EACH, embedded=options.embedded),
    ]
    raise SystemExit(0 if all(held) else 1)


def _burst(images: int, *, senders: int, batch: int, embedded: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="softray-burst-") as name:
        folder = Path(name)
        radiographs = write_radiographs(folder / "images", images)
        with (
            running_receiver(folder / "archive") as archive,
            running_system(
                folder / "system",
                {"archive": (archive.ae_title, archive.port)},
                embedded=embedded,
                MAX_ASSOCIATIONS=str(max(25, senders)),
            ) as system,
        ):
            modalities = Modalities(folder / "senders", system.service.settings.dicom_port, senders, batch)
            started = time.monotonic()
            with Watch(system.processes, archive.number_received, interval_s=1.0) as watch:
                acceptance = modalities.send(radiographs)
                accepted_s = time.monotonic() - started
                wait_until(
                    lambda: archive.number_received() >= len(acceptance.acknowledged) or system.jobs_all_ended(),
                    DRAINED_WITHIN_S,
                )
                seconds = time.monotonic() - started
            records = image_records(system.service.sessions)
            print_heading(console, system, images, seconds, archive, senders)
            _print_acceptance(acceptance, accepted_s)
            print_stages(console, stage_times(records, system.store, acceptance.seconds))
            print_memory(console, watch)
            equality = compare(radiographs, acceptance, records, archive)
            print_equality(console, equality)
            return equality.holds and equality.sent == equality.acknowledged


def _print_acceptance(acceptance: Acceptance, seconds: float) -> None:
    console.print(
        f"accepted {len(acceptance.acknowledged)} in {seconds:.1f} s ({len(acceptance.acknowledged) / seconds:.1f} a "
        f"second), {acceptance.most_at_once()} associations at the same moment, "
        f"{acceptance.rejected_associations} rejected, {len(acceptance.refused)} images refused"
    )


if __name__ == "__main__":
    main()
