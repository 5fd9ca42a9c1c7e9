"""Files and rows, looked through in both directions: files that no row names, rows whose file is not there.

A file that no row names is what a crash between file and commit leaves, and nobody was told that it was kept; or the
registry was restored from an older backup. It is moved to `lost+found`, never deleted. A row without its file gets it
back from there if it can, and becomes a visible failure otherwise, before anybody needs the file.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from service.database import transaction
from service.errors import PermanentError
from service.logs import log_event
from service.registry import exposures, jobs, kept_files
from service.registry.kept_files import KeptFile, Naming, Table
from service.store_upkeep import MISSING, FoundFile, bring_back, fault_of, files_in, folders, is_there, set_aside
from worker.context import WorkerContext
from worker.retention import remove_unwanted, wanted

logger = logging.getLogger(__name__)

ORPHAN_GRACE_S = 24 * 3600.0
FOLDERS_AT_ONCE = 16
ROWS_AT_ONCE = 500
_SUSPICIOUS = 20


class StoreDoesNotMatchError(PermanentError):
    """Registry and store are not of one installation, or a volume is not mounted: nothing is touched."""


def orphans(position: str, context: WorkerContext, *, grace_s: float = ORPHAN_GRACE_S) -> str | None:
    """Look through the next few folders from `position`; where the next pass goes on, None: from the start.

    Raises StoreDoesNotMatchError when the registry knows no instance at all.
    """
    every = folders()
    start = every.index(position) if position in every else 0
    for folder in every[start : start + FOLDERS_AT_ONCE]:
        _look_through(files_in(context.store, folder), context, grace_s)
    following = start + FOLDERS_AT_ONCE
    return every[following] if following < len(every) else None


def _look_through(files: list[FoundFile], context: WorkerContext, grace_s: float) -> None:
    if not files:
        return
    with transaction(context.sessions, read_only=True) as session:
        naming: dict[str, Naming] = {}
        for start in range(0, len(files), ROWS_AT_ONCE):
            naming |= kept_files.naming_of(session, [file.path for file in files[start : start + ROWS_AT_ONCE]])
        unnamed = [file.path for file in files if file.path not in naming and file.age_s >= grace_s]
        if unnamed and not kept_files.anything_received(session):
            raise StoreDoesNotMatchError(
                "STORE_WITHOUT_RECORDS", "expected records of the files in the instance store, found none at all"
            )
    # Marked by retention, and a crash before the unlink.
    remove_unwanted([path for path, said in naming.items() if said is Naming.REMOVED], context)
    for path in unnamed:
        if set_aside(context.store, path, partial(wanted, context, path)):
            log_event(logger, "orphan_file_set_aside", level=logging.WARNING, path=path)


def missing(table: Table, position: str, context: WorkerContext) -> str | None:
    """See that the files of the next rows from `position` are there; where to go on, None: from the start.

    Raises StoreDoesNotMatchError when none of many is: then the store is not mounted, rather than each file lost.
    """
    with transaction(context.sessions, read_only=True) as session:
        rows = kept_files.next_kept(session, table, int(position or 0), ROWS_AT_ONCE)
    gone = [row for row in rows if not is_there(context.store, row.path)]
    if len(gone) == len(rows) >= _SUSPICIOUS:
        raise StoreDoesNotMatchError("STORE_EMPTY", f"expected the files of {len(rows)} records, found none of them")
    for row in rows:
        if row.fault is not None and row not in gone and fault_of(context.store, row.path, row.sha256) is None:
            report_fault(row, None, context)
    for row in gone:
        if bring_back(context.store, row.path):
            log_event(logger, "file_brought_back", level=logging.WARNING, path=row.path)
        else:
            report_fault(row, MISSING, context)
    return str(rows[-1].row_id) if len(rows) == ROWS_AT_ONCE else None


def report_fault(row: KeptFile, code: str | None, context: WorkerContext) -> bool:
    """Make a missing or altered file a visible failure, once; None: it is in order again. True: this was news."""
    now = context.clock()
    with transaction(context.sessions) as session:
        news = kept_files.record_fault(session, row, code, now=now)
        waiting = kept_files.waiting_jobs(session, row) if news and code else []
        failed = sum(_fail(session, job_id, code or "", row, context, now) for job_id in waiting)
    if news:
        log_event(
            logger,
            "stored_file_fault" if code else "stored_file_restored",
            level=logging.ERROR if code else logging.INFO,
            kind=row.table,
            path=row.path,
            reason_code=code,
            jobs_failed=failed,
        )
    return news


def _fail(session: Session, job_id: str, code: str, row: KeptFile, context: WorkerContext, now: datetime) -> bool:
    """Fail a job that waits, as the attempt that it is spared would; False: somebody has it, or its time is to come."""
    claim = jobs.claim(session, job_id, owner=context.owner, lease_s=context.lease_s, now=now)
    detail = f"found by reconciliation: {row.path}"
    if claim is None or not jobs.fail(session, claim, code=code, detail=detail, now=now):
        return False
    exposures.reinstate_siblings(session, job_id, now=now)
    return True
