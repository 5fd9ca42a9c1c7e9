"""The upkeep of what is kept, on a thread of the network worker: retention, reconciliation, reading files again.

Every walk goes on by one bounded pass at a time, from where it stands in the registry, whichever process took it last.
One walk that fails holds up no other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.database import transaction
from service.errors import SoftrayError
from service.folder_broker import sweep_folder_broker
from service.logs import log_event
from service.observability import totals
from service.registry import upkeep_tasks
from service.registry.kept_files import Table
from service.site_retention import RetentionSection
from worker import retention
from worker.context import WorkerContext
from worker.reconcile import missing, orphans
from worker.scrub import Pace, scrub

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
# A pass seldom takes longer; one that does, and loses its walk to another process, costs that the walk is done twice.
# After a kill the walk stands still so long.
LEASE_S = 180.0
GIVE_BACK_WITHIN_S = 2.0
BROKER_LEFTOVERS_S = 600.0
TOTALS_AT_ONCE = 20

Walk = Callable[[str], str | None]


@dataclass(frozen=True)
class UpkeepTerms:
    """`scrub_rate` in bytes per second, 0: files are not read again. `broker_folder`: None where a server is broker."""

    retention: RetentionSection
    scrub_rate: int
    broker_folder: Path | None


class Upkeep:
    """A daemon thread that goes on with every walk each `interval_s` seconds, until `stop`."""

    def __init__(self, context: WorkerContext, terms: UpkeepTerms, interval_s: float = INTERVAL_S) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_up, args=(context, terms, interval_s), name="upkeep", daemon=True
        )
        self._thread.start()

    def stop(self, within_s: float = GIVE_BACK_WITHIN_S) -> bool:
        """End the pass in hand and give its walk back, so that the next process goes on at once; True: it has."""
        self._stop.set()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _keep_up(self, context: WorkerContext, terms: UpkeepTerms, interval_s: float) -> None:
        while not self._stop.wait(interval_s):
            upkeep(context, terms, self._stop, interval_s)


def upkeep(context: WorkerContext, terms: UpkeepTerms, stop: threading.Event, scrub_s: float) -> None:
    """One pass of every walk; nothing is raised. Files are read again for `scrub_s` seconds in all."""
    walks: dict[str, Walk] = {walk: partial(_retain, walk, context=context, terms=terms) for walk in retention.WALKS}
    walks["orphans"] = partial(orphans, context=context)
    for table in Table:
        walks[f"missing-{table}"] = partial(missing, table, context=context)
    if terms.scrub_rate:
        for table in Table:
            walks[f"scrub-{table}"] = partial(_scrub, table, context, terms.scrub_rate, stop, scrub_s / len(Table))
    for name, walk in walks.items():
        if stop.is_set():
            return
        _guarded(name, partial(_pass, name, walk, context))
    _guarded("totals", partial(_totals, context, stop))
    _guarded("leftovers", partial(_leftovers, context, terms))


def _pass(name: str, walk: Walk, context: WorkerContext) -> None:
    with transaction(context.sessions) as session:
        claim = upkeep_tasks.claim_task(session, name, owner=context.owner, lease_s=LEASE_S, now=context.clock())
    if claim is None:
        return
    position: str | None = claim.position
    try:
        position = walk(claim.position)
    finally:
        with transaction(context.sessions) as session:
            upkeep_tasks.pass_ended(session, claim, position, now=context.clock())


def _retain(walk: str, position: str, *, context: WorkerContext, terms: UpkeepTerms) -> str | None:
    return retention.retain(walk, position, context, terms.retention)


def _scrub(
    table: Table, context: WorkerContext, rate: int, stop: threading.Event, most_s: float, position: str
) -> str | None:
    return scrub(table, position, context, Pace(rate, stop), most_s)


def _totals(context: WorkerContext, stop: threading.Event) -> None:
    """Count what has finished since, in short transactions."""
    for _ in range(TOTALS_AT_ONCE):
        with transaction(context.sessions) as session:
            counted = totals.count_finished(session, owner=context.owner, now=context.clock())
        if counted < totals.AT_ONCE or stop.is_set():
            return


def _leftovers(context: WorkerContext, terms: UpkeepTerms) -> None:
    removed = retention.leftovers(context.store)
    if terms.broker_folder is not None:
        removed += sweep_folder_broker(terms.broker_folder, BROKER_LEFTOVERS_S)
    if removed:
        log_event(logger, "leftovers_removed", files=removed)


def _guarded(name: str, work: Callable[[], None]) -> None:
    try:
        work()
    except SoftrayError as error:
        log_event(
            logger, "upkeep_failed", level=logging.WARNING, walk=name, reason_code=error.code, detail=error.message
        )
    except Exception as error:  # whatever it is, the walk goes on from where it stood
        log_event(logger, "upkeep_failed", level=logging.ERROR, walk=name, error=type(error).__name__)
