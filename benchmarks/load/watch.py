"""Memory and open files of the system's processes while it works, sampled from /proc."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

_PAGE_BYTES = 4096


@dataclass(frozen=True)
class Sample:
    """One look: how many images were through, and each process's resident bytes, open files and processor seconds."""

    images: int
    resident_bytes: Mapping[str, int]
    open_files: Mapping[str, int]
    processor_s: Mapping[str, float]


@dataclass
class Watch:
    """Samples every `interval_s` until the block ends; `processes`: name to process id, `images`: how many are through.

    A process that has ended is left out of later samples.
    """

    processes: Mapping[str, int]
    images: Callable[[], int]
    interval_s: float = 2.0
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_watching, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def slope_bytes_per_image(self, process: str) -> float:
        """Least-squares slope of the resident memory over the images of the second half of the run."""
        seen = [(s.images, s.resident_bytes[process]) for s in self.samples if process in s.resident_bytes]
        later = [point for point in seen if point[0] >= seen[-1][0] / 2]
        images, resident = np.array(later, dtype=float).T
        if len(later) < 3 or np.ptp(images) == 0:
            return float("nan")
        return float(np.polyfit(images, resident, 1)[0])

    def _keep_watching(self) -> None:
        while not self._stop.wait(self.interval_s):
            self.samples.append(self._look())

    def _look(self) -> Sample:
        resident, files, processor = {}, {}, {}
        images = self.images()
        for name, process_id in self.processes.items():
            folder = Path(f"/proc/{process_id}")
            try:
                resident[name] = int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES
                files[name] = sum(1 for _ in (folder / "fd").iterdir())
                ticks = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                resident.pop(name, None)
                continue
            processor[name] = (int(ticks[11]) + int(ticks[12])) / 100.0
        return Sample(images, resident, files, processor)


def wait_until(condition: Callable[[], bool], within_s: float, pause_s: float = 0.2) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause_s)
    return condition()
