"""Upkeep of the instance store's folder: removing, setting aside, bringing back and checking single files.

What a file is to whom is the registry's to say, so the question comes in as `wanted`; it is asked while nobody can be
about to name the file in a row (`service.file_locks`). A file that no row names is never deleted but moved to
`lost+found`, under the path that it had: a person can look at it there, and it comes back when a row needs it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from service.errors import TransientError
from service.instance_store import InstanceStore, Kind
from service.store_errors import store_error

LOST_AND_FOUND = "lost+found"
MISSING, ALTERED = "STORED_FILE_MISSING", "STORED_FILE_ALTERED"
_CHUNK = 1 << 20

Wanted = Callable[[], bool]


@dataclass(frozen=True)
class FoundFile:
    """A file as it lies in the store; `age_s` since it was written, `path` as rows name it."""

    path: str
    age_s: float


def folders() -> list[str]:
    """Every folder that files may lie in, in order: four kinds, 256 each."""
    return [f"{kind}/{number:02x}" for kind in sorted(Kind) for number in range(256)]


def files_in(store: InstanceStore, folder: str) -> list[FoundFile]:
    """The files of one folder. Raises TransientError."""
    now, found = time.time(), []
    try:
        for file in sorted((store.root / folder).iterdir()):
            with suppress(FileNotFoundError):
                if file.is_file() and not file.is_symlink():
                    found.append(FoundFile(f"{folder}/{file.name}", now - file.stat().st_mtime))
    except FileNotFoundError:
        return found
    except OSError as error:
        raise TransientError("STORE_UNREADABLE", f"{folder} cannot be read: {error.strerror}") from error
    return found


def remove_file(store: InstanceStore, path: str, wanted: Wanted, *, younger_than_s: float = 0.0) -> bool:
    """Delete the file unless it is wanted, or so young that it may be for a row to come; True: it is gone.

    Raises TransientError.
    """
    place = store.resolve(path)
    with store.locks.deleting(PurePosixPath(path).stem):
        try:
            if wanted() or time.time() - place.stat().st_mtime < younger_than_s:
                return False
            place.unlink()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise store_error(error) from error
    return True


def set_aside(store: InstanceStore, path: str, wanted: Wanted) -> bool:
    """Move the file to `lost+found` unless it is wanted; True: it was moved. Raises TransientError."""
    place, aside = store.resolve(path), store.root / LOST_AND_FOUND / path
    with store.locks.deleting(PurePosixPath(path).stem):
        try:
            if wanted():
                return False
            aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.rename(aside)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise store_error(error) from error
    return True


def bring_back(store: InstanceStore, path: str) -> bool:
    """Move what was set aside back to where rows look for it; False: there is nothing. Raises TransientError."""
    place, aside = store.resolve(path), store.root / LOST_AND_FOUND / path
    with store.locks.keeping(PurePosixPath(path).stem):
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.rename(place)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise store_error(error) from error
    return True


def set_aside_files(store: InstanceStore) -> Iterator[Path]:
    """What lies in `lost+found`."""
    return (path for path in (store.root / LOST_AND_FOUND).rglob("*") if path.is_file())


def is_there(store: InstanceStore, path: str) -> bool:
    """Whether the file is there, read or not. Raises TransientError when that cannot be told."""
    try:
        return store.resolve(path).stat().st_size >= 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise TransientError("STORE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error


def fault_of(store: InstanceStore, path: str, sha256: str, pace: Callable[[int], None] = lambda _: None) -> str | None:
    """What is wrong with the file, None: nothing. `pace` is told of every piece read. Raises TransientError."""
    digest = hashlib.sha256()
    try:
        with store.resolve(path).open("rb") as opened:
            while piece := opened.read(_CHUNK):
                digest.update(piece)
                pace(len(piece))
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        raise TransientError("STORE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error
    return None if digest.hexdigest() == sha256 else ALTERED
