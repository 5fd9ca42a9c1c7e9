"""What this worker has claimed and not ended yet, so that all of it can be handed back when the worker has to stop.

Three stages: a worker that was asked to stop begins nothing more (`stopping`) and lets what is in hand end; when time
runs short it is broken off between two steps (`hand_back_now`); what cannot be broken off is handed back under its
hands (`hand_back_all`), and the fencing token keeps it from writing anything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.logs import log_event

logger = logging.getLogger(__name__)

HandBack = Callable[[], None]


class WorkInHand:
    """Shared by every thread of one worker process."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._hand_back_now = threading.Event()
        self._held: dict[object, HandBack] = {}
        self._changed = threading.Condition()

    @property
    def stopping(self) -> bool:
        """Whether nothing may be begun any more."""
        return self._stopping.is_set()

    @property
    def hand_back_now(self) -> bool:
        """Whether what is in hand is to be broken off at its next step."""
        return self._hand_back_now.is_set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    def break_off(self) -> None:
        """Hand back what is in hand, at its next step."""
        self._stopping.set()
        self._hand_back_now.set()

    @contextmanager
    def holding(self, hand_back: HandBack) -> Iterator[None]:
        """Around the work on one claim; `hand_back` gives the claim back, and may come too late without harm."""
        key = object()
        with self._changed:
            self._held[key] = hand_back
        try:
            yield
        finally:
            with self._changed:
                self._held.pop(key, None)
                self._changed.notify_all()

    def empty_within(self, seconds: float) -> bool:
        """Wait until nothing is in hand; False: it still is after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, timeout=seconds)

    def hand_back_all(self) -> None:
        """Hand back every claim, from another thread than the ones that work on them; nothing is raised."""
        self.break_off()
        with self._changed:
            held = list(self._held.values())
        for hand_back in held:
            try:
                hand_back()
            except Exception as error:  # the database is away: the lease runs out by itself
                log_event(logger, "not_handed_back", level=logging.WARNING, error=type(error).__name__)
