"""`softray pull`: have an archive send us radiographs that it holds, so that priors are processed too.

The archive is asked what it has (C-FIND), then to send it to our own node (C-MOVE), which receives it like anything
else: the same allow-list, the same gate. Nothing is fetched twice, so a broken-off pull is resumed by running it again.
What is printed names UIDs, modalities and counts, never a patient.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from sqlalchemy.orm import Session, sessionmaker

from dicom_node.command_peer import command_peer
from dicom_node.find_scu import find_context
from dicom_node.move_scu import MoveResult, SubOperations, move
from dicom_node.outgoing_association import outgoing_association
from dicom_node.peer import Peer
from dicom_node.pull_criteria import PullCriteria
from dicom_node.pull_selection import ChosenSeries, QueryFailedError, choose, identifiers
from dicom_node.status import Outcome
from service.database import make_engine, make_session_factory, transaction
from service.errors import PermanentError
from service.registry.known_instances import known_instances, received_instances
from service.registry.remote_nodes import allowed_callers
from service.settings import Settings, checked_ae_title

console = Console(soft_wrap=True, highlight=False)

LONGEST_WAIT_S = 300.0  # an archive may have to fetch from tape before it answers
# After these the next series may still come; after any other failure it would fail in the same way.
GO_ON_AFTER = {"SOME_NOT_SENT", "UNABLE_TO_PROCESS"}


@dataclass
class _Tally:
    wanted: int = 0
    asked: int = 0
    arrived: int = 0


def run_pull(
    settings: Settings,
    *,
    ae_title: str,
    host: str,
    port: int,
    accession: str | None,
    study: str | None,
    dates: str | None,
    modality: str | None,
    dry_run: bool,
    rate: float,
    limit: int | None,
    move_to: str | None,
    tls: bool = False,
) -> None:
    """Choose; unless `dry_run`, fetch at most `rate` instances a minute. Raises PermanentError if one is missing."""
    criteria = PullCriteria(accession, study, dates, modality)
    peer = command_peer(settings, ae_title, host, port, tls=tls)
    destination = _destination(settings, move_to)
    engine = make_engine(settings.effective_database_url)
    sessions = make_session_factory(engine)
    try:
        chosen = _choose(settings, peer, criteria, limit, sessions)
        tally = _Tally(wanted=sum(len(series.wanted) for series in chosen))
        _print_choice(chosen, tally.wanted, dry_run=dry_run)
        if dry_run or not chosen:
            return
        _warn_of_stranger(settings, peer, destination, sessions)
        with _stopped_by_ctrl_c() as stop:
            fetch = _Fetch(settings, peer, destination, sessions, stop, tally, 60.0 / rate)
            for series in chosen:
                fetch.series(series)
    finally:
        engine.dispose()
    console.print(f"{tally.arrived} of {tally.wanted} instances arrived")
    if tally.arrived < tally.wanted:
        found = f"expected {tally.wanted} instances, found {tally.arrived}"
        again = "run the same command again for the rest"
        ask = f"does {ae_title} know {destination}, with this machine's address and port {settings.dicom_port}?"
        raise PermanentError("NOT_ALL_ARRIVED", f"{found}; {again if tally.arrived else ask}")


@dataclass
class _Fetch:
    """One C-MOVE after the other, at a bounded rate."""

    settings: Settings
    peer: Peer
    destination: str
    sessions: sessionmaker[Session]
    stop: threading.Event
    tally: _Tally
    pause_s: float

    def series(self, chosen: ChosenSeries) -> None:
        """Fetch what is wanted of one series. Raises PermanentError when going on makes no sense."""
        for identifier, uids in identifiers(chosen):
            if self.stop.is_set():
                self._stopped()
            begun = time.monotonic()
            result = move(
                self.peer,
                identifier,
                self.destination,
                calling_ae_title=self.settings.ae_title,
                timeout_s=max(self.settings.network_timeout_s, LONGEST_WAIT_S),
                on_progress=_print_progress,
                cancel=self.stop,
            )
            self._count(uids, result)
            pause = len(uids) * self.pause_s - (time.monotonic() - begun)
            if pause > 0 and self.tally.asked < self.tally.wanted:
                self.stop.wait(pause)

    def _count(self, uids: Sequence[str], result: MoveResult) -> None:
        arrived = len(uids) if result.outcome is Outcome.SENT else (result.sub_operations.completed or 0)
        if self.destination == self.settings.ae_title:  # our own registry knows better than the archive
            with transaction(self.sessions, read_only=True) as session:
                arrived = len(received_instances(session, uids))
        self.tally.asked += len(uids)
        self.tally.arrived += arrived
        console.print(f"{self.tally.asked}/{self.tally.wanted}: {result.code}, {arrived} of {len(uids)} arrived")
        if self.stop.is_set():
            self._stopped()
        if result.outcome is not Outcome.SENT and result.code not in GO_ON_AFTER:
            raise PermanentError(result.code, _sentence(result, self.peer, self.destination, self.settings))

    def _stopped(self) -> None:
        message = f"{self.tally.arrived} of {self.tally.wanted} instances arrived; run the same command again to go on"
        raise PermanentError("STOPPED", message)


def _choose(
    settings: Settings,
    peer: Peer,
    criteria: PullCriteria,
    limit: int | None,
    sessions: sessionmaker[Session],
) -> list[ChosenSeries]:
    def known(uids: Sequence[str]) -> set[str]:
        with transaction(sessions, read_only=True) as session:
            return known_instances(session, uids)

    with outgoing_association(
        peer, [find_context()], calling_ae_title=settings.ae_title, timeout_s=settings.network_timeout_s
    ) as association:
        try:
            return list(choose(association, criteria, known, limit=limit))
        except QueryFailedError as error:
            message = f"{peer.ae_title}@{peer.host}:{peer.port} did not answer the query: {error.result.detail}"
            raise PermanentError(error.result.code, message) from None


def _destination(settings: Settings, move_to: str | None) -> str:
    try:
        return checked_ae_title(move_to) if move_to is not None else settings.ae_title
    except ValueError as error:
        raise PermanentError("AE_TITLE_INVALID", str(error)) from None


def _print_choice(chosen: Sequence[ChosenSeries], wanted: int, *, dry_run: bool) -> None:
    for series in chosen:
        console.print(
            f"study {series.study_instance_uid} series {series.series_instance_uid} {series.modality}: "
            f"{len(series.wanted)} to fetch, {series.known} here already, {series.listed} in the archive"
        )
    verb = "would be fetched" if dry_run else "to fetch"
    console.print(f"{wanted} instances of {len(chosen)} series {verb}" if chosen else "nothing to fetch")


def _print_progress(counts: SubOperations) -> None:
    known = {"completed": counts.completed, "remaining": counts.remaining, "failed": counts.failed}
    text = ", ".join(f"{value} {name}" for name, value in known.items() if value is not None)
    if text:
        console.print(f"  {text}")


def _warn_of_stranger(settings: Settings, peer: Peer, destination: str, sessions: sessionmaker[Session]) -> None:
    if settings.accept_unknown_callers or destination != settings.ae_title:
        return
    with transaction(sessions, read_only=True) as session:
        callers = allowed_callers(session)
    if peer.ae_title not in callers:
        console.print(
            f"warning: softray accepts no images from {peer.ae_title}; if the archive sends under that AE title, "
            "register it first with `softray remote add … --may-send`"
        )


def _sentence(result: MoveResult, peer: Peer, destination: str, settings: Settings) -> str:
    match result.code:
        case "MOVE_DESTINATION_UNKNOWN":
            return (
                f"{peer.ae_title} does not know {destination} (0xA801): enter this AE title there, with this machine's "
                f"address and port {settings.dicom_port}"
            )
        case "OUT_OF_RESOURCES":
            return f"{peer.ae_title} is out of resources ({result.detail}): try again later, what has arrived is kept"
        case "NO_ANSWER" | "ASSOCIATION_REJECTED" | "NOT_AUTHORISED" | "SOP_CLASS_NOT_ACCEPTED":
            return f"{peer.ae_title} did not send: {result.detail}; does it let {settings.ae_title} retrieve images?"
        case _:
            return f"{peer.ae_title} did not send: {result.detail}"


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that the archive is sent a C-CANCEL before we go."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handler: Callable[..., None] = lambda *_: stop.set()  # noqa: E731
    for number in before:
        signal.signal(number, handler)
    try:
        yield stop
    finally:
        for number, former in before.items():
            signal.signal(number, former)
