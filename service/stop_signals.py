"""SIGTERM and SIGINT, the same way in every process of the service: the first asks it to stop, the second ends it.

Every entry point that runs until it is told to stop makes one `StopSignals`, first thing. While it starts, nothing is
in hand yet, and the first signal ends it. From `begin_work` on the first signal sets `requested`, the process drains
what it has in hand, and `end_within` sees to it that this has a bound. The second signal ends the process within a
second, whatever it is doing: what it had in hand is in the registry, with a lease.

Signals are noticed on a thread of their own. Python's handlers run on the main thread between two of its instructions,
which is too late when that thread sits in a decoder or a network.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

from service.logs import log_event

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Made once in a process, on its main thread."""

    def __init__(self, *, at_once: Callable[[], None] | None = None) -> None:
        """`at_once` is called, on another thread, before the second signal ends the process; it takes no time."""
        self.requested = threading.Event()
        self._at_once = at_once
        self._working = False
        self._lock = threading.Lock()
        self._read_end, self._write_end = socket.socketpair()
        self._write_end.setblocking(False)
        signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._listen, name="stop-signals", daemon=True).start()

    def begin_work(self) -> None:
        """From now on there may be something in hand that a first signal must not cut off."""
        with self._lock:
            self._working = True

    def end_within(self, seconds: float, last: Callable[[], None] | None = None) -> None:
        """Once stopping was requested, end the process with exit code 0 after `seconds`, should it still be there.

        `last` is called before that and gets a quarter of the time at most; it is not waited for any longer.
        """
        threading.Thread(target=self._bound, args=(seconds, last), name="stop-bound", daemon=True).start()

    def _listen(self) -> None:
        asked = 0
        while True:
            for number in self._read_end.recv(16):
                if number not in SIGNALS:
                    continue
                asked += 1
                if asked > 1:
                    self._end_now(number)
                self._ask(number)

    def _ask(self, number: int) -> None:
        with self._lock:
            working = self._working
        if not working:
            os._exit(0)
        self.requested.set()
        log_event(logger, "stop_requested", signal=signal.Signals(number).name)

    def _end_now(self, number: int) -> None:
        # No log line: whoever holds the log's lock may be what does not go on.
        if self._at_once is not None:
            self._at_once()
        os._exit(128 + number)

    def _bound(self, seconds: float, last: Callable[[], None] | None) -> None:
        self.requested.wait()
        end = time.monotonic() + seconds
        for_last = seconds / 4 if last is not None else 0.0
        time.sleep(max(0.0, seconds - for_last))
        if last is not None:
            words = threading.Thread(target=last, name="stop-last", daemon=True)
            words.start()
            words.join(max(0.0, end - time.monotonic()))
        log_event(logger, "stopped_at_the_bound", level=logging.WARNING, after_s=seconds)
        os._exit(0)
