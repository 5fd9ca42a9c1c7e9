"""Keeping a claim alive while its work runs, and noticing when it is no longer ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from worker.errors import DeadlineExceededError, LeaseLostError, WorkerStoppedError

Renew = Callable[[], bool]


def ignore_hang() -> None:
    """Outside a process that owns a device there is nothing to end."""


def go_on() -> bool:
    """Nobody asks for the work to be handed back."""
    return False


class Lease:
    """Renews a claim from a thread of its own until the block ends.

    `renew()` answers False when somebody else owns the claim. The thread stops renewing past the deadline, so work that
    hangs inside the device loses its claim in the end and another worker can take it. A whole lease later `on_hang()`
    is called, if the work is still not done. `hand_back()` says whether the worker stops and the work must be given up.
    """

    def __init__(
        self,
        renew: Renew,
        *,
        lease_s: float,
        deadline_s: float,
        on_hang: Callable[[], None] = ignore_hang,
        hand_back: Callable[[], bool] = go_on,
    ) -> None:
        self._renew = renew
        self._interval_s = lease_s / 3
        self._lease_s = lease_s
        self._deadline_s = deadline_s
        self._on_hang = on_hang
        self._hand_back = hand_back
        self._started = time.monotonic()
        self._done = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=self._interval_s)

    def check(self) -> None:
        """Called between two steps of the work. Raises LeaseLostError, WorkerStoppedError or DeadlineExceededError."""
        if self._lost.is_set():
            raise LeaseLostError("expected to own the job still, found it claimed by another worker")
        if self._hand_back():
            raise WorkerStoppedError("expected to finish before the worker stops, found no time left")
        elapsed = time.monotonic() - self._started
        if elapsed > self._deadline_s:
            raise DeadlineExceededError(
                f"expected the result within {self._deadline_s:g} s, found {elapsed:.0f} s gone"
            )

    def _keep(self) -> None:
        while not self._done.wait(self._interval_s):
            if time.monotonic() - self._started > self._deadline_s:
                if not self._done.wait(self._lease_s):
                    self._on_hang()
                return
            try:
                owned = self._renew()
            except Exception:  # the database is away: keep trying, the fencing token decides in the end
                continue
            if not owned:
                self._lost.set()
                return
