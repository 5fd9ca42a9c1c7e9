"""The instance store: its disk, its files, and whether they and the registry agree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from service.database import transaction
from service.errors import TransientError
from service.findings import Finding, note, ok, problem
from service.folder_broker import sweep_folder_broker
from service.instance_store import Kind
from service.job_queue import broker_folder
from service.registry import kept_files
from service.registry.admission_marks import read_marks
from service.registry.kept_files import KeptFile, Table
from service.registry.upkeep_tasks import read_tasks
from service.store_upkeep import (
    bring_back,
    fault_of,
    files_in,
    folders,
    is_there,
    remove_file,
    set_aside,
    set_aside_files,
)
from worker.doctor.examination import Check, Patient
from worker.reconcile import ORPHAN_GRACE_S
from worker.retention import YOUNG_S
from worker.upkeep import BROKER_LEFTOVERS_S

ROWS_AT_ONCE = 500
STALE_WALK_S = 3600.0
MOST_NAMED = 5


def _store(patient: Patient) -> Iterator[Finding]:
    """Written, fsynced, read back and removed again, as every image is."""
    probe = f"softray doctor {patient.now.isoformat()}".encode()
    try:
        kept = patient.store.keep(Kind.QUARANTINE, [probe], suffix=".probe")
    except TransientError as error:
        yield problem(
            "store",
            error.code,
            error.message,
            means="nothing can be kept: images are answered 0xA700, computed results wait",
            do="free space, or see to the volume and its permissions",
        )
        return
    try:
        patient.store.read(kept.path, kept.sha256)
    finally:
        remove_file(patient.store, kept.path, lambda: False)
    yield ok("store", f"{patient.store.root} can be written, synced and read")


def _disk(patient: Patient) -> Iterator[Finding]:
    space = patient.store.space
    usage = space.usage()
    now = f"{usage.free_bytes / 1e9:.1f} GB free, {usage.used_percent:.0f} % in use"
    means = "every image is answered 0xA700 (STOW-RS: 503) and stays with its sender"
    do = "free space on this disk, or shorten [retention] in the site file"
    if (trouble := space.above_high_mark()) is not None:
        yield problem("disk", "DISK_LOW", trouble, means=means, do=do)
    else:
        yield ok("disk", now)
    with transaction(patient.sessions, read_only=True) as session:
        marks = read_marks(session)
    for mark in marks.values():
        if mark.refusing:
            found = f"images are refused since {mark.changed_at:%Y-%m-%d %H:%M:%S} UTC: {mark.detail}"
            yield problem(
                mark.name, mark.code or "REFUSING", found, means=means, do=f"{do}; it ends by itself below the low mark"
            )


def _leftovers(patient: Patient) -> Iterator[Finding]:
    limit, old = time.time() - YOUNG_S, 0
    for left in (patient.store.root / "tmp").iterdir():
        with suppress(FileNotFoundError):
            old += left.stat().st_mtime < limit
    if patient.repair:
        removed = patient.store.sweep_temporary(YOUNG_S)
        removed += sweep_folder_broker(broker_folder(patient.settings.data_dir), BROKER_LEFTOVERS_S)
        yield ok("leftovers", f"{removed} files of processes that were killed are removed")
    elif old:
        yield note("leftovers", "LEFTOVERS", f"{old} files that killed processes were writing", do="goes by itself")
    else:
        yield ok("leftovers", "none")


def _orphans(patient: Patient) -> Iterator[Finding]:
    """Files that no row names."""
    found, moved = 0, 0
    for folder in folders():
        old = [file.path for file in files_in(patient.store, folder) if file.age_s >= ORPHAN_GRACE_S]
        for start in range(0, len(old), ROWS_AT_ONCE):
            some = old[start : start + ROWS_AT_ONCE]
            with transaction(patient.sessions, read_only=True) as session:
                naming = kept_files.naming_of(session, some)
                known = kept_files.anything_received(session)
            unnamed = [path for path in some if path not in naming]
            found += len(unnamed)
            if patient.repair and known:
                moved += sum(set_aside(patient.store, path, partial(_wanted, patient, path)) for path in unnamed)
    if found:
        yield problem(
            "orphans",
            "ORPHAN_FILES",
            f"{found} files older than a day that no record names",
            means="left by a crash before anybody was told that they are kept, or the registry is an older backup",
            do="softray doctor --repair moves them to lost+found; a source file can be sent again with storescu",
            repaired=f"{moved} moved to lost+found" if moved else "",
        )
    else:
        yield ok("orphans", "every file has a record")
    if aside := sum(1 for _ in set_aside_files(patient.store)):
        yield note("orphans", "LOST_AND_FOUND", f"{aside} files in lost+found", do="look at them, then delete them")


def _records(patient: Patient) -> Iterator[Finding]:
    """Rows whose file is not there, and what reading files again has found."""
    looked, back = 0, 0
    gone: list[str] = []
    for table in Table:
        after = 0
        while rows := _rows(patient, table, after):
            after = rows[-1].row_id
            for row in rows:
                looked += 1
                if is_there(patient.store, row.path):
                    continue
                if patient.repair and bring_back(patient.store, row.path):
                    back += 1
                else:
                    gone.append(row.path)
    if back:
        yield problem(
            "records",
            "STORED_FILE_MISSING",
            f"{back} of {looked} files that records name lay in lost+found",
            means="their images could not be computed or sent again",
            do="nothing more",
            repaired=f"{back} brought back from lost+found",
        )
    if gone:
        named = ", ".join(gone[:MOST_NAMED]) + (", …" if len(gone) > MOST_NAMED else "")
        yield problem(
            "records",
            "STORED_FILE_MISSING",
            f"{len(gone)} of {looked} files that records name are not there: {named}",
            means="their images cannot be computed or sent again; what was delivered is in the archive",
            do="is the right volume mounted? softray doctor --repair looks in lost+found; else restore them from the "
            "backup; an image received can also be sent again",
        )
    elif not back:
        yield ok("records", f"all {looked} files that records name are there")
    with transaction(patient.sessions, read_only=True) as session:
        faulty = kept_files.faulty_files(session)
    for one in faulty:
        if (fault := fault_of(patient.store, one.path, one.sha256)) is not None:
            yield problem(
                "records",
                fault,
                one.path,
                means="the disk has lost or changed it since it was kept",
                do="check the disk (smartctl, dmesg); restore the file from the backup; an image received can also be "
                "sent again, and a failed job be retried",
            )


def _walks(patient: Patient) -> Iterator[Finding]:
    with transaction(patient.sessions, read_only=True) as session:
        walks = [walk for walk in read_tasks(session) if walk.name != "doctor"]
    passed = {walk.name: walk.passed_at for walk in walks if walk.passed_at is not None}  # else its first is under way
    stale = [name for name, at in passed.items() if (patient.now - at).total_seconds() > STALE_WALK_S]
    if not walks:
        yield note("upkeep", "UPKEEP_NEVER_RAN", "no network worker has looked at the store yet")
    elif stale:
        yield problem(
            "upkeep",
            "UPKEEP_STANDS_STILL",
            f"not gone on with for an hour: {', '.join(stale)}",
            means="old files are not removed and lost ones not found",
            do="start the network worker; its log says why (upkeep_failed)",
        )
    else:
        yield ok("upkeep", f"{len(walks)} walks go on")


def _rows(patient: Patient, table: Table, after: int) -> list[KeptFile]:
    with transaction(patient.sessions, read_only=True) as session:
        return kept_files.next_kept(session, table, after, ROWS_AT_ONCE)


def _wanted(patient: Patient, path: str) -> bool:
    with transaction(patient.sessions, read_only=True) as session:
        return kept_files.is_wanted(session, path)


CHECKS: dict[str, Check] = {
    "store": _store,
    "disk": _disk,
    "leftovers": _leftovers,
    "orphans": _orphans,
    "records": _records,
    "upkeep": _walks,
}
