"""One caller's images on their way through the device's thread: what the caller and that thread tell each other.

The caller's own thread runs `on_step`, with all that hangs on it (the lease, the deadline, the job's row); the device's
thread only leaves word and never waits for a database.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import torch
from torch import Tensor

from models.samplers import OnStep

WAITING_INTERVAL_S = 1.0


@dataclass(frozen=True)
class _Step:
    step: int
    total: int


class BatchRequest:
    """`cxr` (N, 1, S, S) with a seed for each image, waiting for its turn, running, or done with."""

    def __init__(self, cxr: Tensor, seeds: tuple[int, ...], total_steps: int) -> None:
        """`total_steps`: evaluations that one run takes, told to `on_step` while the images wait."""
        self.cxr = cxr
        self.seeds = seeds
        self._total_steps = total_steps
        self._news: SimpleQueue[_Step | Tensor | BaseException] = SimpleQueue()
        self._results: list[Tensor | None] = [None] * len(seeds)
        self._lock = threading.Lock()
        self._over = False
        self._running = False
        self._let_go = threading.Event()

    # The caller's side

    def wait(self, on_step: OnStep) -> Tensor:
        """The residuals, (N, 1, S, S); `on_step` is called here after each evaluation, and as (0, total) about once a
        second while the images wait for their turn, so that a deadline is noticed there too.

        What `on_step` raises takes these images out of their batch and comes out once the device's thread has let go
        of them: a device that hangs keeps its caller, whose lease then notices.
        """
        try:
            while True:
                try:
                    word = self._news.get(timeout=WAITING_INTERVAL_S)
                except Empty:
                    if not self._running:
                        on_step(0, self._total_steps)
                    continue
                match word:
                    case _Step():
                        on_step(word.step, word.total)
                    case Tensor():
                        return word
                    case _:
                        raise word
        finally:
            with self._lock:
                self._over = True
                running = self._running
            if running:
                self._let_go.wait()

    # The device thread's side

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for these images."""
        with self._lock:
            return not self._over

    def begin(self) -> bool:
        """Some of the images enter the device; False, and they do not, when nobody waits for them any more."""
        with self._lock:
            self._running = not self._over
            return self._running

    def report(self, step: int, total: int) -> bool:
        """After an evaluation; False when nobody waits for these images any more."""
        with self._lock:
            if self._over:
                self._let_go.set()
                return False
        self._news.put(_Step(step, total))
        return True

    def end(self) -> None:
        """The images have left the device, with a result or without."""
        with self._lock:
            self._running = False
            if self._over:
                self._let_go.set()

    def deliver(self, index: int, residual: Tensor) -> None:
        """Image `index` is done, (1, 1, S, S); the last one ends the waiting."""
        self._results[index] = residual
        done = [result for result in self._results if result is not None]
        if len(done) == len(self._results):
            self._news.put(done[0] if len(done) == 1 else torch.cat(done))

    def fail(self, error: BaseException) -> None:
        """No result for these images; further ones of the same request are not run."""
        with self._lock:
            self._over = True
        self._news.put(error)
