"""A file of the instance store whose bytes arrive one after another, from a peer that may stop at any byte.

It is written and hashed as it comes and has no name in the store until `InstanceStore.adopt` gives it one; whoever
opened it discards it otherwise. A crash leaves it under `tmp`, where `InstanceStore.sweep_temporary` finds it.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from service.space import Reservation
from service.store_errors import store_error


class ArrivingFile:
    """Open for writing until it is adopted or discarded; not shared between threads."""

    def __init__(self, folder: Path, reservation: Reservation) -> None:
        """Takes over `reservation`. Raises StoreFullError or TransientError, as `write` does."""
        self._digest = hashlib.sha256()
        self._reservation = reservation
        self.size_bytes = 0
        try:
            self._descriptor, self.temporary = tempfile.mkstemp(dir=folder)
        except OSError as error:
            reservation.release(kept=False)
            raise store_error(error) from error

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far, in hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, part: bytes | memoryview) -> None:
        """Append `part`. Raises StoreFullError or TransientError."""
        self._reservation.written(len(part))
        self._digest.update(part)
        self.size_bytes += len(part)
        rest = memoryview(part)
        try:
            while len(rest):
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise store_error(error) from error

    def content(self) -> memoryview:
        """What was written, mapped and not copied."""
        return memoryview(mmap.mmap(self._descriptor, self.size_bytes, access=mmap.ACCESS_READ))

    def sync(self) -> None:
        """Return once every byte is on disk. Raises OSError."""
        os.fsync(self._descriptor)

    def adopted(self) -> None:
        """It has a name now: what is left is to close it."""
        self._close(kept=True)

    def discard(self) -> None:
        """Remove it; nothing happens once it was adopted or discarded."""
        if self._descriptor >= 0:
            self._close(kept=False)
            with suppress(OSError):
                os.unlink(self.temporary)  # noqa: PTH108 (mkstemp gives a str)

    def _close(self, *, kept: bool) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        self._reservation.release(kept=kept)
