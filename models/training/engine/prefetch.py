"""Batches drawn ahead of the step that needs them, so that a GPU does not wait for the CPU's augmentation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

BatchT = TypeVar("BatchT")

AHEAD = 4


def drawn_ahead(draw: Callable[[int], BatchT], steps: range, workers: int) -> Generator[BatchT, None, None]:
    """`draw(step)` for each of `steps`, in order; 0 workers: each when it is asked for.

    A draw is a pure function of its step, so that the order of computation cannot change a training.
    """
    if workers < 1:
        yield from map(draw, steps)
        return
    waiting: deque[Future[BatchT]] = deque()
    coming = iter(steps)
    with ThreadPoolExecutor(workers, thread_name_prefix="draw") as pool:
        try:
            for step in coming:
                waiting.append(pool.submit(draw, step))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
