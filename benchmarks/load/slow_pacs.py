"""Bad neighbours: a PACS that answers each C-STORE after 0.5 s and one that never does; does a good one feel it?

The same images go to the good PACS alone, then to all three. Run: python -m benchmarks.load.slow_pacs [--images N]
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benchmarks.load.equality import compare
from benchmarks.load.radiographs import write_radiographs
from benchmarks.load.receiver import Receiver, running_receiver
from benchmarks.load.report import print_equality, print_memory
from benchmarks.load.senders import Modalities
from benchmarks.load.stages import image_records
from benchmarks.load.system import COPY_STEP_NOTE, System, running_system
from benchmarks.load.watch import Watch, wait_until
from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.status import SUCCESS
from service.registry.job_states import DeliveryState
from service.registry.tables import Delivery, RemoteNode, Result

console = Console(width=140)
SLOW_S = 0.5
NETWORK_TIMEOUT_S = 60.0
DRAINED_WITHIN_S = 900.0


def main() -> None:
    """Print how long results wait for the good PACS, alone and beside the others; exit code 1 when one was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100)
    options = parser.parse_args()
    console.print(f"{options.images} radiographs; {COPY_STEP_NOTE}; network timeout {NETWORK_TIMEOUT_S:g} s")
    table = Table("run", "results at the good PACS", "median s from derived to sent", "p99 s", "s for all")
    held = [_run(options.images, table, with_neighbours=False), _run(options.images, table, with_neighbours=True)]
    console.print(table)
    raise SystemExit(0 if all(held) else 1)


def _run(images: int, table: Table, *, with_neighbours: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="softray-slow-") as name, contextlib.ExitStack() as peers:
        folder = Path(name)
        radiographs = write_radiographs(folder / "images", images)
        archive = peers.enter_context(running_receiver(folder / "archive"))
        archives = {"good": (archive.ae_title, archive.port)}
        over = threading.Event()
        if with_neighbours:
            archives |= _neighbours(folder, peers, over)
        system = peers.enter_context(
            running_system(folder / "system", archives, NETWORK_TIMEOUT_S=f"{NETWORK_TIMEOUT_S:g}")
        )
        peers.callback(over.set)  # first of all at the end: the worker finishes what it has in hand before it stops
        modalities = Modalities(folder / "senders", system.service.settings.dicom_port, 4, 10)
        started = time.monotonic()
        with Watch(system.processes, archive.number_received, interval_s=1.0) as watch:
            acceptance = modalities.send(radiographs)
            wait_until(lambda: archive.number_received() >= len(acceptance.acknowledged), DRAINED_WITHIN_S)
            seconds = time.monotonic() - started
            if with_neighbours:
                wait_until(lambda: _sent(system, "slow") >= len(acceptance.acknowledged), DRAINED_WITHIN_S)
                console.print(f"the slow PACS has all after {time.monotonic() - started:.0f} s")
                for node in archives:
                    console.print(f"{node}: {_shown(system.deliveries_to(node))}")
                print_memory(console, watch)
        waits = _waits(system, archive)
        median, p99 = np.percentile(waits, [50, 99])
        run = "beside a slow and a silent one" if with_neighbours else "alone"
        table.add_row(run, str(len(waits)), f"{median:.3f}", f"{p99:.3f}", f"{seconds:.1f}")
        equality = compare(radiographs, acceptance, image_records(system.service.sessions), archive)
        print_equality(console, equality)
        return equality.holds


def _neighbours(folder: Path, peers: contextlib.ExitStack, over: threading.Event) -> Mapping[str, tuple[str, int]]:
    def slowly(_: str) -> int:
        over.wait(SLOW_S)
        return SUCCESS

    def never(_: str) -> int:
        over.wait()
        return SUCCESS

    slow = peers.enter_context(StandInPacs(folder / "slow", ae_title="SLOW", answer=slowly))
    silent = peers.enter_context(StandInPacs(folder / "silent", ae_title="SILENT", answer=never))
    return {"slow": (slow.ae_title, slow.port), "silent": (silent.ae_title, silent.port)}


def _sent(system: System, node: str) -> int:
    return system.deliveries_to(node).get(DeliveryState.SENT, 0)


def _shown(counted: Mapping[DeliveryState, int]) -> str:
    return ", ".join(f"{state} {count}" for state, count in sorted(counted.items()))


def _waits(system: System, archive: Receiver) -> list[float]:
    """Seconds from the derived object's rows to the good PACS's answer, for each result that it has."""
    sent = (
        select(Delivery.sent_at, Result.created_at, Result.sop_instance_uid)
        .join(Result, Result.id == Delivery.result_id)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(RemoteNode.name == "good", Delivery.sent_at.is_not(None))
    )
    there = archive.received()
    with system.service.sessions() as session:
        return [(at - made).total_seconds() for at, made, uid in session.execute(sent) if at and uid in there]


if __name__ == "__main__":
    main()
