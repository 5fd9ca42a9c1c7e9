"""Single files of the store: removed only when nobody wants them or is about to, set aside, brought back, checked."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from service import file_locks
from service.errors import TransientError
from service.instance_store import InstanceStore, Kind, StoredFile
from service.store_upkeep import (
    ALTERED,
    MISSING,
    bring_back,
    fault_of,
    files_in,
    folders,
    is_there,
    remove_file,
    set_aside,
    set_aside_files,
)


@pytest.fixture
def store(tmp_path: Path) -> InstanceStore:
    return InstanceStore(tmp_path / "instances", 0)


@pytest.fixture
def kept(store: InstanceStore) -> StoredFile:
    return store.keep(Kind.SOURCE, [b"a radiograph"])


def unwanted() -> bool:
    return False


def test_a_file_that_a_row_wants_is_not_removed(store: InstanceStore, kept: StoredFile) -> None:
    assert not remove_file(store, kept.path, lambda: True)
    assert is_there(store, kept.path)
    assert remove_file(store, kept.path, unwanted)
    assert not is_there(store, kept.path)
    assert remove_file(store, kept.path, unwanted)


def test_a_young_file_may_be_for_a_row_to_come(store: InstanceStore, kept: StoredFile) -> None:
    assert not remove_file(store, kept.path, unwanted, younger_than_s=3600)
    os.utime(store.resolve(kept.path), (1, 1))
    assert remove_file(store, kept.path, unwanted, younger_than_s=3600)


def test_removal_waits_for_who_is_about_to_name_the_file_and_asks_again_then(
    store: InstanceStore, kept: StoredFile
) -> None:
    named = threading.Event()
    outcome: list[bool] = []
    removing = threading.Thread(target=lambda: outcome.append(remove_file(store, kept.path, named.is_set)))
    with store.locks.keeping(kept.sha256):
        removing.start()
        removing.join(0.2)
        assert removing.is_alive()
        named.set()  # its row is committed
    removing.join(5)
    assert outcome == [False]
    assert is_there(store, kept.path)


def test_a_deletion_that_hangs_asks_the_sender_to_come_back(
    store: InstanceStore, kept: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "WAIT_S", 0.05)
    with store.locks.deleting(kept.sha256), pytest.raises(TransientError, match="STORE_BUSY"):  # noqa: SIM117
        with store.locks.keeping(kept.sha256):
            pass


def test_what_is_set_aside_keeps_its_path_and_comes_back(store: InstanceStore, kept: StoredFile) -> None:
    assert not set_aside(store, kept.path, lambda: True)
    assert set_aside(store, kept.path, unwanted)
    assert not is_there(store, kept.path)
    assert [path.name for path in set_aside_files(store)] == [Path(kept.path).name]
    assert bring_back(store, kept.path)
    assert store.read(kept.path, kept.sha256) == b"a radiograph"
    assert not bring_back(store, kept.path)


def test_every_kept_file_lies_in_a_folder_that_is_walked(store: InstanceStore, kept: StoredFile) -> None:
    preview = store.keep(Kind.PREVIEW, [b"a picture"], suffix=".png")
    walked = {file.path for folder in folders() for file in files_in(store, folder)}
    assert walked == {kept.path, preview.path}


def test_a_missing_and_an_altered_file_are_told_apart(store: InstanceStore, kept: StoredFile) -> None:
    assert fault_of(store, kept.path, kept.sha256) is None
    store.resolve(kept.path).write_bytes(b"a radiograpH")
    assert fault_of(store, kept.path, kept.sha256) == ALTERED
    store.resolve(kept.path).unlink()
    assert fault_of(store, kept.path, kept.sha256) == MISSING
