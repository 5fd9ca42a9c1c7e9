"""The folder that keeps received, derived and quarantined instances, and previews; content-addressed, crash-safe.

A file appears under its name only when all its bytes and its directory entry are on disk, so that whoever holds a path
holds a whole file: written under `tmp`, fsynced, renamed, directory fsynced. What a crash leaves under `tmp` is removed
by `sweep_temporary`. Files are readable by their owner only, since they hold patient data.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from service.arriving_file import ArrivingFile
from service.errors import PermanentError, TransientError
from service.file_locks import FileLocks
from service.space import DiskMarks, Space
from service.store_errors import store_error

# Hashing and writing alternate in pieces that stay in the processor's cache between the two.
_CHUNK = 1 << 20


class Kind(StrEnum):
    """The first folder of a path."""

    SOURCE = "source"
    DERIVED = "derived"
    QUARANTINE = "quarantine"
    PREVIEW = "preview"


@dataclass(frozen=True)
class StoredFile:
    """A kept file: `path` is relative to the store, with `/`; `sha256` is of its whole content."""

    path: str
    sha256: str
    size_bytes: int


class InstanceStore:
    """Keeps files under `root`; any number of processes may share it.

    Above `high_percent` of the disk in use no new instance should be begun, until it is below `low_percent` again.
    """

    def __init__(
        self, root: Path, min_free_bytes: int, high_percent: float = 100.0, low_percent: float = 100.0
    ) -> None:
        self.root = root.absolute()
        self._temporary = self.root / "tmp"
        self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.space = Space(self.root, DiskMarks(min_free_bytes, high_percent, low_percent))
        self.locks = FileLocks(self.root / "locks")

    def keep(self, kind: Kind, parts: Iterable[bytes | memoryview], suffix: str = ".dcm") -> StoredFile:
        """Write the concatenated `parts`; the same content again gives the same path.

        Raises StoreFullError when the disk or the quota is full and TransientError when it cannot be written to;
        nothing is left behind then.
        """
        if "/" in suffix or "\0" in suffix:
            raise PermanentError("PATH_ESCAPES_STORE", f"a suffix is part of a file name, found {suffix!r}")
        temporary: str | None = None
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self._temporary)
            try:
                sha256, size_bytes = _write(descriptor, parts)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            path = f"{kind}/{sha256[:2]}/{sha256}{suffix}"
            self._publish(temporary, path)
        except OSError as error:
            if temporary is not None:
                with suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108 (mkstemp gives a str)
            raise store_error(error) from error
        except BaseException:
            if temporary is not None:
                with suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108
            raise
        return StoredFile(path, sha256, size_bytes)

    def open_arriving(self) -> ArrivingFile:
        """A file to be written as its bytes come, then given to `adopt`; room is set aside for it meanwhile.

        Raises StoreFullError or TransientError.
        """
        return ArrivingFile(self._temporary, self.space.reserve())

    def adopt(self, kind: Kind, arriving: ArrivingFile, suffix: str = ".dcm") -> StoredFile:
        """Keep a file that has arrived, as `keep` would: named once its bytes and its name are on disk.

        Raises StoreFullError or TransientError; the file is then still the caller's, to be discarded.
        """
        sha256 = arriving.sha256
        path = f"{kind}/{sha256[:2]}/{sha256}{suffix}"
        try:
            arriving.sync()
            self._publish(arriving.temporary, path)
        except OSError as error:
            raise store_error(error) from error
        arriving.adopted()
        return StoredFile(path, sha256, arriving.size_bytes)

    def require_space(self, expected_bytes: int = 0) -> None:
        """Raise StoreFullError unless `min_free_bytes` stay free after `expected_bytes` more."""
        self.space.require(expected_bytes)

    def resolve(self, path: str) -> Path:
        """The absolute place of a stored path; raises PermanentError for one that leads out of the store."""
        pure = PurePosixPath(path)
        place = self.root / pure
        if "\0" in path or pure.is_absolute() or ".." in pure.parts or not path:
            raise PermanentError("PATH_ESCAPES_STORE", f"expected a path inside the instance store, found {path!r}")
        if not place.resolve().is_relative_to(self.root.resolve()):
            raise PermanentError("PATH_ESCAPES_STORE", f"{path!r} leads out of the instance store through a link")
        return place

    def read(self, path: str, sha256: str) -> bytes:
        """The content, checked against its digest.

        Raises PermanentError when the file is missing or altered and TransientError when it cannot be read now.
        """
        place = self.resolve(path)
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            raise PermanentError("STORED_FILE_MISSING", f"expected a file at {path}, found none") from None
        except OSError as error:
            raise TransientError("STORE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise PermanentError("STORED_FILE_ALTERED", f"expected sha256 {sha256} of {path}, found {found}")
        return content

    def sweep_temporary(self, older_than_s: float) -> int:
        """Remove what crashed writers left; returns how many files. Younger ones may still be being written."""
        removed = 0
        limit = time.time() - older_than_s
        for left_over in self._temporary.iterdir():
            with suppress(FileNotFoundError):
                if left_over.stat().st_mtime < limit:
                    left_over.unlink()
                    removed += 1
        return removed

    def _publish(self, temporary: str, path: str) -> None:
        place = self.root / path
        if not place.parent.is_dir():
            self._make_folder(place.parent)
        # An existing file is replaced by its equal: this also heals one that has rotted, and the fsync below makes
        # sure of an entry whose first writer has not got that far yet.
        Path(temporary).replace(place)
        _fsync_folder(place.parent)

    def _make_folder(self, folder: Path) -> None:
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        _fsync_folder(folder.parent.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _fsync_folder(folder.parent)


def _write(descriptor: int, parts: Iterable[bytes | memoryview]) -> tuple[str, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    for part in parts:
        content = memoryview(part).cast("B")
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK]
            digest.update(chunk)
            while len(chunk):
                chunk = chunk[os.write(descriptor, chunk) :]
        size_bytes += len(content)
    return digest.hexdigest(), size_bytes


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
