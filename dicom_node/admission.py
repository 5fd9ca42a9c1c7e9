"""May an instance come at all? Asked before the first byte of its data set is read: disk, queue, the sender's quota.

Each of disk and queue has a high mark, above which every sender is asked to come again (0xA700, 503), and a low mark,
below which they are let in again: without the distance between the two, a full system would accept one image and refuse
one in turn. The state is written down on each change, so that it outlives this process and others can show it.

Nothing here costs more with a longer queue: the registry is counted once a second at most, and less often where that
takes long; in between, what was accepted since is added.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.errors import StoreFullError, TransientError
from service.instance_store import InstanceStore
from service.logs import log_event
from service.registry.admission_marks import DISK, QUEUE, read_marks, record_mark
from service.registry.backlog import Backlog, backlog

logger = logging.getLogger(__name__)

COUNT_INTERVAL_S = 1.0
_COUNTING_SHARE = 20.0  # counting may take a twentieth of the time
WATCH_INTERVAL_S = 5.0


@dataclass(frozen=True)
class AdmissionTerms:
    """`high_depth`: jobs queued or running; `quotas`: bytes of unfinished images by calling AE title."""

    high_depth: int
    quotas: Mapping[str, int] = field(default_factory=dict)

    @property
    def low_depth(self) -> int:
        """Jobs at which a full queue counts as having room again: nine tenths."""
        return self.high_depth * 9 // 10


@dataclass
class _Mark:
    name: str
    code: str
    refusing: bool = False
    detail: str = ""
    written: bool = True  # whether the registry has the present state


class Admission:
    """One per node process; safe for any number of threads."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: InstanceStore,
        terms: AdmissionTerms,
        clock: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._terms = terms
        self._clock = clock
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._disk = _Mark(DISK, "DISK_LOW")
        self._queue = _Mark(QUEUE, "QUEUE_FULL")
        self._marks_known = False
        self._count_again_at = 0.0
        self._counted = Backlog(0)
        self._accepted_jobs = 0
        self._accepted_bytes: Counter[str] = Counter()

    def require(self, calling_ae_title: str) -> None:
        """Raises StoreFullError or TransientError when no instance of this sender may come now."""
        self._count_if_due()
        self._judge()
        if self._disk.refusing:
            raise StoreFullError(self._disk.code, self._disk.detail)
        if self._queue.refusing:
            raise TransientError(self._queue.code, self._queue.detail)
        quota = self._terms.quotas.get(calling_ae_title)
        if quota is not None:
            with self._lock:
                taken = self._counted.unfinished_bytes.get(calling_ae_title, 0)
                taken += self._accepted_bytes[calling_ae_title]
            if taken >= quota:
                raise TransientError(
                    "QUOTA_EXCEEDED", f"expected at most {quota} bytes unfinished, found {taken}, of {calling_ae_title}"
                )

    def accepted(self, calling_ae_title: str, size_bytes: int) -> None:
        """An instance has become a job since the last count."""
        with self._lock:
            self._accepted_jobs += 1
            if calling_ae_title in self._terms.quotas:
                self._accepted_bytes[calling_ae_title] += size_bytes

    def look(self) -> None:
        """Judge the marks although nobody asks, so that what was full is seen to recover. Nothing is raised."""
        self._count_if_due()
        try:
            self._judge()
        except TransientError as error:
            log_event(logger, "disk_not_checked", level=logging.WARNING, reason_code=error.code)

    def _count_if_due(self) -> None:
        """One thread counts, the others go by what is known; so they do while the registry is away."""
        if time.monotonic() < self._count_again_at or not self._counting.acquire(blocking=False):
            return
        try:
            with self._lock:
                jobs_before, bytes_before = self._accepted_jobs, self._accepted_bytes.copy()
            started = time.monotonic()
            with suppress(TransientError):  # whoever needs the registry says so
                self._count(jobs_before, bytes_before)
            took = time.monotonic() - started
            self._count_again_at = time.monotonic() + max(COUNT_INTERVAL_S, _COUNTING_SHARE * took)
        finally:
            self._counting.release()

    def _count(self, jobs_before: int, bytes_before: Counter[str]) -> None:
        with transaction(self._sessions, read_only=True) as session:
            # One more than the limit says that it is passed; how far does not matter.
            counted = backlog(session, self._terms.quotas, at_most=self._terms.high_depth + 1)
            marks = {} if self._marks_known else read_marks(session)
        with self._lock:
            self._counted = counted
            self._accepted_jobs -= jobs_before
            self._accepted_bytes -= bytes_before
            for mark in (self._disk, self._queue):
                row = marks.get(mark.name)
                if row is not None and row.refusing and not self._marks_known:
                    mark.refusing, mark.detail = True, row.detail or ""
            self._marks_known = True

    def _judge(self) -> None:
        space = self._store.space
        with self._lock:
            depth = self._counted.depth + self._accepted_jobs
            limit = self._terms.low_depth if self._queue.refusing else self._terms.high_depth - 1
            changed = [
                self._set(self._disk, space.above_low_mark() if self._disk.refusing else space.above_high_mark()),
                self._set(self._queue, f"expected at most {limit} jobs, found {depth}" if depth > limit else None),
            ]
            unwritten = [mark for mark in (self._disk, self._queue) if not mark.written]
        for mark in filter(None, changed):
            log_event(
                logger,
                "refusing_images" if mark.refusing else "accepting_images_again",
                level=logging.WARNING,
                mark=mark.name,
                reason_code=mark.code,
                detail=mark.detail or None,
            )
        for mark in unwritten:
            self._write(mark)

    def _set(self, mark: _Mark, trouble: str | None) -> _Mark | None:
        """The mark if it changed."""
        if trouble is not None:
            mark.detail = trouble
        if mark.refusing == (trouble is not None):
            return None
        mark.refusing, mark.written = trouble is not None, False
        if trouble is None:
            mark.detail = ""
        return mark

    def _write(self, mark: _Mark) -> None:
        """A full disk may hold the registry as well: then it is written later, and refused all the same."""
        refusing, detail = mark.refusing, mark.detail
        mark.written = True
        try:
            with transaction(self._sessions) as session:
                record_mark(
                    session,
                    mark.name,
                    refusing=refusing,
                    code=mark.code if refusing else None,
                    detail=detail or None,
                    now=self._clock(),
                )
        except Exception as error:
            mark.written = False
            log_event(logger, "mark_not_written", level=logging.WARNING, mark=mark.name, error=type(error).__name__)


def watch(admission: Admission, stop: threading.Event, interval_s: float = WATCH_INTERVAL_S) -> threading.Thread:
    """Look every `interval_s` seconds until `stop`, on a daemon thread."""

    def keep_looking() -> None:
        while not stop.wait(interval_s):
            admission.look()

    thread = threading.Thread(target=keep_looking, name="admission", daemon=True)
    thread.start()
    return thread
