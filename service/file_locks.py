"""Who may delete a file of the instance store, and who is about to name one in a row: never both at once.

A file belongs to whichever rows name it. Between the moment a file gets its name and the commit of its row, nothing in
the registry says that it is wanted, and the same bytes may just then be deleted for an older row. So whoever keeps a
file holds a lock on its digest until the row is committed, and whoever deletes takes it alone. Locks are advisory ones
of the operating system: they go with a process that dies, and hold between processes and, on NFS, machines.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import TransientError
from service.store_errors import store_error

# A deletion holds a lock for one query and one unlink. What takes longer is a process that was stopped in between.
WAIT_S = 5.0
_POLL_S = 0.005


class FileLocks:
    """One lock for each first two digits of a digest, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def keeping(self, sha256: str) -> Iterator[None]:
        """Hold off deletion of files with this digest. Raises TransientError when one does not end in time."""
        with self._locked(sha256, fcntl.LOCK_SH):
            yield

    @contextmanager
    def deleting(self, sha256: str) -> Iterator[None]:
        """Hold off everybody who keeps a file with this digest. Raises TransientError."""
        with self._locked(sha256, fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, sha256: str, mode: int) -> Iterator[None]:
        try:
            descriptor = os.open(self._folder / sha256[:2], os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise store_error(error) from error
        try:
            _take(descriptor, mode)
            yield
        finally:
            os.close(descriptor)  # gives the lock back


def _take(descriptor: int, mode: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransientError(
                    "STORE_BUSY", f"expected the lock of a file within {WAIT_S:g} s, found it held"
                ) from None
            time.sleep(_POLL_S)
        except OSError as error:
            raise store_error(error) from error
