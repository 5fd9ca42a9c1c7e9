"""The figures of a run as tables."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.load.database_work import DatabaseWork, per_image
from benchmarks.load.equality import Equality
from benchmarks.load.receiver import Receiver
from benchmarks.load.stages import Stage, StageTimes
from benchmarks.load.system import COPY_STEP_NOTE, System
from benchmarks.load.watch import Watch

MIB = 1024 * 1024


def print_heading(
    console: Console, system: System, images: int, seconds: float, archive: Receiver, senders: int
) -> None:
    """What ran, and how fast."""
    registry = "PostgreSQL (fsync on) and Redis" if system.database_url else "SQLite and folder broker"
    console.print(f"\n[bold]{images} radiographs, {senders} senders at a time, {registry}[/bold]; {COPY_STEP_NOTE}.")
    console.print(
        f"{seconds:.0f} s, {archive.number_received() / seconds:.1f} images/s through the whole way; "
        f"{archive.associations} associations at the PACS; {os.cpu_count()} processors, senders, servers and PACS "
        f"included, load average {os.getloadavg()[0]:.1f}"
    )


def print_stages(console: Console, times: StageTimes) -> None:
    """Median and 99th percentile of each stage."""
    table = Table("stage", "median ms", "p99 ms", "images")
    for stage in Stage:
        median, p99 = times.median_and_p99(stage)
        table.add_row(stage, f"{1000 * median:.1f}", f"{1000 * p99:.1f}", str(len(times.seconds[stage])))
    console.print(table)


def print_memory(console: Console, watch: Watch) -> None:
    """Resident memory, its slope over the second half, open files and processor time of each process."""
    table = Table(
        "process", "MiB at 10 %", "at 50 %", "at end", "slope B/image (2nd half)", "open files (most)", "CPU s"
    )
    for name in watch.processes:
        seen = [sample for sample in watch.samples if name in sample.resident_bytes]
        if not seen:
            continue
        last = seen[-1].images
        marks = [next(s for s in seen if s.images >= share * last).resident_bytes[name] for share in (0.1, 0.5, 1.0)]
        table.add_row(
            name,
            *(f"{mark / MIB:.1f}" for mark in marks),
            f"{watch.slope_bytes_per_image(name):+.0f}",
            str(max(sample.open_files[name] for sample in seen)),
            f"{seen[-1].processor_s[name]:.0f}",
        )
    console.print(table)


def print_database(console: Console, work: Sequence[DatabaseWork]) -> None:
    """Time in the database and transactions per image, early and late; rows that sequential scans read; sizes."""
    if len(work) < 4:
        return
    table = Table("images", "ms in PostgreSQL per image", "transactions per image", "rows read by scans per image")
    for earlier, later in ((work[0], work[2]), (work[-3], work[-1])):
        active_ms, transactions = per_image(earlier, later)
        scanned = sum(later.rows_scanned.values()) - sum(earlier.rows_scanned.values())
        table.add_row(
            f"{earlier.images} to {later.images}",
            f"{active_ms:.2f}",
            f"{transactions:.1f}",
            f"{scanned / max(1, later.images - earlier.images):.1f}",
        )
    console.print(table)
    last, first = work[-1], work[-3]
    scans = {name: rows - first.rows_scanned.get(name, 0) for name, rows in last.rows_scanned.items()}
    console.print("rows read by sequential scans in the last tenth: " + _listed(scans))
    console.print(
        "bytes per image, indexes included: " + _listed({n: s // last.images for n, s in last.bytes_of.items()})
    )


def print_equality(console: Console, equality: Equality) -> None:
    """The numbers that have to agree."""
    console.print(
        f"sent {equality.sent} = acknowledged {equality.acknowledged} = recorded {equality.recorded} = received by the "
        f"PACS {equality.received}; lost {equality.lost}, twice {equality.twice}, foreign {equality.foreign}, "
        f"altered pixels {equality.other_pixels}: {'holds' if equality.holds else 'BROKEN'}",
        style="bold" if equality.holds else "bold red",
    )


def _listed(figures: dict[str, int]) -> str:
    shown = sorted(((value, name) for name, value in figures.items() if value), reverse=True)
    return ", ".join(f"{name} {value}" for value, name in shown) or "none"
