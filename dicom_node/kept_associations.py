"""Associations for C-STORE that stay open for a moment, so that results that follow each other share one (PS3.8 §7.1).

An association costs a peer a process or a thread, a negotiation and a line in its log; a backlog of a thousand results
would cost a thousand of them. One that is idle for `IDLE_S` is released, and one that is never idle after `LONGEST_S`:
some archives do something only at the end of an association, and what one accepts may have changed meanwhile. `close`
releases all of them, so that no peer is left with one that is half open.

Nobody waits for anybody: whoever finds none that is free opens another, and how many are open at a time follows from
how many results are sent to the peer at a time.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID
from pynetdicom.association import Association

from dicom_node.conformance import requested_contexts
from dicom_node.outgoing_association import NoAssociation, associate, release
from dicom_node.peer import Peer
from dicom_node.status import Outcome
from dicom_node.store_operation import Outgoing, StoreResult, read_outgoing, store

IDLE_S = 1.0
LONGEST_S = 30.0
# PS3.8 §9.3.2.2 numbers at most 128 presentation contexts; each pair asks for up to three.
_MOST_PAIRS = 32

_Pairs = frozenset[tuple[UID, UID]]


@dataclass(frozen=True)
class _To:
    """Who talks to whom."""

    peer: Peer
    calling_ae_title: str


@dataclass(eq=False)
class _Kept:
    """An association and what was asked for in it; times are of the monotonic clock, in s."""

    to: _To
    association: Association
    pairs: _Pairs
    keep_until: float
    stored: int = 0
    release_at: float = 0.0


class KeptAssociations:
    """Sends instances one by one; safe for any number of threads. Idle associations end by themselves."""

    def __init__(self, idle_s: float = IDLE_S, longest_s: float = LONGEST_S) -> None:
        self._idle_s = idle_s
        self._longest_s = longest_s
        self._changed = threading.Condition()
        self._idle: list[_Kept] = []
        self._proposed: dict[_To, _Pairs] = defaultdict(frozenset)
        self._releaser: threading.Thread | None = None
        self._closed = False

    def send(self, path: Path, peer: Peer, *, calling_ae_title: str, timeout_s: float = 60.0) -> StoreResult:
        """Send the DICOM file at `path`; `timeout_s` bounds each wait for the peer. Nothing is raised.

        A peer may have ended an idle association at the very moment we use it again. That is no failure of the peer:
        the instance then goes over a new one, once.
        """
        instance = read_outgoing(path)
        if isinstance(instance, StoreResult):
            return instance
        to = _To(peer, calling_ae_title)
        kept, unfit = self._take(to, instance)
        for other in unfit:  # the next one serves both, and the peer has no more of them than we have hands
            release(other.association, timeout_s)
        if kept is not None:
            started = time.monotonic()
            result = self._store(kept, instance, timeout_s)
            if not _unanswered(result) or time.monotonic() - started >= timeout_s:
                return result
        with self._changed:
            self._proposed[to] = _together(self._proposed[to], instance)
            pairs = self._proposed[to]
        association = associate(
            peer, requested_contexts(sorted(pairs)), calling_ae_title=calling_ae_title, timeout_s=timeout_s
        )
        if isinstance(association, NoAssociation):
            return store(association, instance)
        return self._store(_Kept(to, association, pairs, time.monotonic() + self._longest_s), instance, timeout_s)

    def close(self) -> None:
        """Release what is idle, and from now on every association after its one instance."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for kept in idle:
            release(kept.association)

    @property
    def idle(self) -> int:
        """How many associations are open and wait for the next instance."""
        with self._changed:
            return len(self._idle)

    def _take(self, to: _To, instance: Outgoing) -> tuple[_Kept | None, list[_Kept]]:
        """A free association in which the instance's presentation context was asked for, whatever the answer was; if
        there is none, those in which it was not."""
        with self._changed:
            free = [kept for kept in self._idle if kept.to == to]
            fit = [kept for kept in free if instance.stored_in in kept.pairs]
            taken = fit[-1:] or free  # the one used last: the others may end
            self._idle = [kept for kept in self._idle if kept not in taken]
        return (fit[-1], []) if fit else (None, taken)

    def _store(self, kept: _Kept, instance: Outgoing, timeout_s: float) -> StoreResult:
        kept.stored += 1
        result = store(kept.association, instance, number=kept.stored)
        if not _unanswered(result):
            self._give_back(kept, timeout_s)
        elif kept.association.is_established:  # in the middle of a message: nothing else can follow it
            kept.association.abort()
        return result

    def _give_back(self, kept: _Kept, timeout_s: float) -> None:
        with self._changed:
            now = time.monotonic()
            if not self._closed and kept.association.is_established and now < kept.keep_until:
                # Well before pynetdicom aborts it for its silence.
                kept.release_at = now + min(self._idle_s, timeout_s / 2)
                self._idle.append(kept)
                if len(self._idle) == 1:
                    self._changed.notify()
                if self._releaser is None:
                    self._releaser = threading.Thread(target=self._release_idle, name="idle-associations", daemon=True)
                    self._releaser.start()
                return
        release(kept.association, timeout_s)

    def _release_idle(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(self._until_next_release())
                if self._closed:
                    return
                now = time.monotonic()
                over = [kept for kept in self._idle if kept.release_at <= now or not kept.association.is_established]
                self._idle = [kept for kept in self._idle if kept not in over]
            for kept in over:
                release(kept.association)

    def _until_next_release(self) -> float | None:
        """Seconds; None: nothing is idle. A busy association changes it all the time, so that it is only looked at."""
        if not self._idle:
            return None
        return max(0.05, min(kept.release_at for kept in self._idle) - time.monotonic())


def _unanswered(result: StoreResult) -> bool:
    return result.status is None and result.outcome is Outcome.RETRY


def _together(known: _Pairs, instance: Outgoing) -> _Pairs:
    """What was needed before and what is needed now, so that the next association serves both."""
    both = known | {instance.stored_in}
    return both if len(both) <= _MOST_PAIRS else frozenset({instance.stored_in})
