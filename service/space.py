"""Room on the disk of the instance store: what is free, what is set aside for files that are arriving, and the marks.

A C-STORE does not say how large its data set will be. So every file that arrives sets room aside, as much as the large
ones of late took, and more as it grows past that: however many associations send at once, they cannot together write
past the floor. What the disk has is asked of the operating system each time, since others write to it as well.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from service.errors import StoreFullError, TransientError

MIB = 1024 * 1024
# A digital radiograph of 8 MP: what is set aside before anything is known.
FIRST_EXPECTED_BYTES = 16 * MIB
_LEAST_EXPECTED_BYTES = 1 * MIB
_FORGETTING = 0.98  # an unusually large file counts for less with every one after it


@dataclass(frozen=True)
class DiskMarks:
    """Bytes that must stay free, and the share of the disk in percent above which, and below which again, it is full
    or not. 100: only the bytes count."""

    min_free_bytes: int
    high_percent: float = 100.0
    low_percent: float = 100.0

    @property
    def low_free_bytes(self) -> int:
        """Bytes that must be free before a disk that was full counts as not full: a tenth more."""
        return self.min_free_bytes + self.min_free_bytes // 10


@dataclass(frozen=True)
class Usage:
    """Bytes free for us, and the share in use as `df` gives it, in percent."""

    free_bytes: int
    used_percent: float


class Space:
    """The room of one store, as seen by one process; safe for any number of threads."""

    def __init__(self, root: Path, marks: DiskMarks) -> None:
        self.root = root
        self.marks = marks
        self._lock = threading.Lock()
        self._set_aside = 0
        self._expected = float(FIRST_EXPECTED_BYTES)

    def usage(self) -> Usage:
        """What the disk has now. Raises TransientError when it cannot be asked."""
        try:
            disk = shutil.disk_usage(self.root)
        except OSError as error:
            raise TransientError("STORE_UNWRITABLE", f"the instance store cannot be reached: {error}") from error
        return Usage(disk.free, 100.0 * disk.used / max(1, disk.used + disk.free))

    def above_high_mark(self) -> str | None:
        """Why no file should be begun now; None: there is room. Raises TransientError."""
        usage, marks = self.usage(), self.marks
        if usage.free_bytes - self.expected_bytes < marks.min_free_bytes:
            return _too_little(usage.free_bytes, marks.min_free_bytes, self.expected_bytes)
        if usage.used_percent > marks.high_percent:
            return f"expected at most {marks.high_percent:g} % of the disk in use, found {usage.used_percent:.1f} %"
        return None

    def above_low_mark(self) -> str | None:
        """Why a disk that was full still counts as full; None: it has recovered. Raises TransientError."""
        usage, marks = self.usage(), self.marks
        if usage.free_bytes - self.expected_bytes < marks.low_free_bytes:
            return _too_little(usage.free_bytes, marks.low_free_bytes, self.expected_bytes)
        if usage.used_percent > marks.low_percent:
            return f"expected less than {marks.low_percent:g} % in use again, found {usage.used_percent:.1f} %"
        return None

    @property
    def expected_bytes(self) -> int:
        """How large the next file may well be."""
        return int(self._expected)

    @property
    def set_aside_bytes(self) -> int:
        """What files that are arriving may still write."""
        return self._set_aside

    def require(self, wanted_bytes: int) -> None:
        """Raise StoreFullError unless the floor stays free besides `wanted_bytes` and all that is set aside."""
        with self._lock:
            self._require(wanted_bytes)

    def require_any(self, wanted_bytes: int) -> None:
        """Raise StoreFullError unless `wanted_bytes` fit at all: what is under way may go below the floor."""
        free = self.usage().free_bytes
        if free < wanted_bytes:
            raise StoreFullError("DISK_FULL", f"expected {wanted_bytes} bytes free, found {free}")

    def reserve(self) -> Reservation:
        """Set room aside for a file of unknown size. Raises StoreFullError or TransientError."""
        with self._lock:
            wanted = self.expected_bytes
            self._require(wanted)
            self._set_aside += wanted
        return Reservation(self, wanted)

    def _require(self, wanted_bytes: int) -> None:
        free = self.usage().free_bytes - self._set_aside
        if free - wanted_bytes < self.marks.min_free_bytes:
            raise StoreFullError("DISK_LOW", _too_little(free, self.marks.min_free_bytes, wanted_bytes))


class Reservation:
    """Room for one file; `written` as it grows, `release` once it is kept or gone. Not shared between threads."""

    def __init__(self, space: Space, set_aside: int) -> None:
        self._space = space
        self._left = set_aside
        self._written = 0

    def written(self, count: int) -> None:
        """So many bytes are about to be written. Raises StoreFullError when no room is left to set aside for them."""
        space = self._space
        with space._lock:
            if count > self._left:
                more = max(count - self._left, space.expected_bytes)
                space._require(more)
                space._set_aside += more
                self._left += more
            self._left -= count
            self._written += count
            space._set_aside -= count  # from here on the disk itself counts them

    def release(self, *, kept: bool) -> None:
        """What was not used is free for others; `kept`: the size says something about those to come."""
        space = self._space
        with space._lock:
            space._set_aside -= self._left
            self._left = 0
            if kept:
                space._expected = max(float(self._written), space._expected * _FORGETTING, _LEAST_EXPECTED_BYTES)


def _too_little(free: int, floor: int, wanted: int) -> str:
    return f"expected {floor} bytes free besides {wanted} to be written, found {free}"
