"""Removing files that have done their duty, a few at a time: their rows are marked first, then they are unlinked.

A crash in between leaves a marked row and a file that no row wants, which reconciliation removes. Rows stay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from sqlalchemy.orm import Session

from service.database import transaction
from service.errors import TransientError
from service.instance_store import InstanceStore
from service.logs import log_event
from service.registry import kept_files, retention
from service.registry.retention import Window
from service.site_retention import RetentionSection, before
from service.store_upkeep import remove_file
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

BATCH = 200
# A worker keeps derived files seconds before it commits their rows; the same bytes may be an older row's.
YOUNG_S = 3600.0
WALKS = ("retain-sources", "retain-derived", "retain-previews", "retain-quarantine")


def retain(walk: str, position: str, context: WorkerContext, terms: RetentionSection) -> str | None:
    """One pass of one of WALKS from `position`; where the next one goes on, None: from the start."""
    with transaction(context.sessions) as session:
        window = _mark(walk, position, session, context, terms)
    removed = remove_unwanted(window.paths, context)
    if window.paths:
        log_event(logger, "files_removed", kind=walk, marked=len(window.paths), removed=removed)
    return window.position


def remove_unwanted(paths: Iterable[str], context: WorkerContext) -> int:
    """Unlink those of `paths` that no row wants. What cannot be unlinked now is left to reconciliation."""
    removed = 0
    for path in dict.fromkeys(paths):
        young_s = 0.0 if path.startswith(("source/", "quarantine/")) else YOUNG_S
        try:
            removed += remove_file(context.store, path, partial(wanted, context, path), younger_than_s=young_s)
        except TransientError as error:
            log_event(logger, "file_not_removed", level=logging.WARNING, path=path, reason_code=error.code)
    return removed


def wanted(context: WorkerContext, path: str) -> bool:
    """Whether any row needs the file."""
    with transaction(context.sessions, read_only=True) as session:
        return kept_files.is_wanted(session, path)


def _mark(walk: str, position: str, session: Session, context: WorkerContext, terms: RetentionSection) -> Window:
    now = context.clock()
    match walk:
        case "retain-sources":
            return retention.mark_sources(
                session,
                position=position,
                delivered_before=before(terms.delivered_days, now),
                refused_before=before(terms.refused_days, now),
                now=now,
                limit=BATCH,
            )
        case "retain-derived":
            limit = before(terms.derived_days, now)
            return retention.mark_results(session, position=position, delivered_before=limit, now=now, limit=BATCH)
        case "retain-previews":
            limit = before(terms.previews_days, now)
            return retention.mark_previews(session, position=position, delivered_before=limit, now=now, limit=BATCH)
        case _:
            limit = before(terms.quarantine_days, now)
            return retention.mark_quarantined(session, position=position, received_before=limit, now=now, limit=BATCH)


def leftovers(store: InstanceStore) -> int:
    """Remove what crashed writers left under `tmp`; a file in the making is written to all the time."""
    return store.sweep_temporary(YOUNG_S)
