from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import space
from service.errors import PermanentError, StoreFullError, TransientError
from service.instance_store import InstanceStore, Kind
from service.space import DiskMarks

REPOSITORY = Path(__file__).resolve().parents[2]
DiskUsage = namedtuple("DiskUsage", "total used free")


@pytest.fixture
def store(tmp_path: Path) -> InstanceStore:
    return InstanceStore(tmp_path / "instances", min_free_bytes=0)


def files(store: InstanceStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_a_kept_file_is_named_by_its_content_and_reads_back(store: InstanceStore) -> None:
    kept = store.keep(Kind.SOURCE, [b"\0" * 128, memoryview(b"DICM"), b"data set"])
    content = b"\0" * 128 + b"DICM" + b"data set"
    sha256 = hashlib.sha256(content).hexdigest()
    assert kept.path == f"source/{sha256[:2]}/{sha256}.dcm"
    assert (kept.sha256, kept.size_bytes) == (sha256, len(content))
    assert store.read(kept.path, kept.sha256) == content


@given(parts=st.lists(st.binary(max_size=64)))
def test_how_the_content_is_cut_into_parts_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    store = InstanceStore(tmp_path_factory.mktemp("store"), min_free_bytes=0)
    assert store.keep(Kind.SOURCE, parts) == store.keep(Kind.SOURCE, [b"".join(parts)])


def test_content_larger_than_a_piece_arrives_whole(store: InstanceStore) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)
    kept = store.keep(Kind.DERIVED, [content])
    assert store.read(kept.path, hashlib.sha256(content).hexdigest()) == content


def test_a_part_of_wider_items_is_written_as_bytes(store: InstanceStore) -> None:
    kept = store.keep(Kind.SOURCE, [memoryview(b"\1\2\3\4").cast("H")])
    assert (kept.size_bytes, store.read(kept.path, kept.sha256)) == (4, b"\1\2\3\4")


def test_keeping_the_same_content_again_is_idempotent(store: InstanceStore) -> None:
    assert store.keep(Kind.SOURCE, [b"same"]) == store.keep(Kind.SOURCE, [b"sa", b"me"])
    assert len(files(store)) == 1


def test_keeping_it_again_heals_a_file_that_has_rotted(store: InstanceStore) -> None:
    kept = store.keep(Kind.SOURCE, [b"same"])
    store.resolve(kept.path).write_bytes(b"rot!")
    store.keep(Kind.SOURCE, [b"same"])
    assert store.read(kept.path, kept.sha256) == b"same"


def test_kinds_and_suffixes_are_kept_apart(store: InstanceStore) -> None:
    paths = {store.keep(kind, [b"x"]).path.split("/")[0] for kind in Kind}
    assert paths == {"source", "derived", "quarantine", "preview"}
    assert store.keep(Kind.PREVIEW, [b"x"], suffix=".png").path.endswith(".png")


def test_the_file_and_its_folders_are_synced_before_the_name_is_given_out(
    store: InstanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    kept = store.keep(Kind.SOURCE, [b"x"])
    temporary, *folders = synced
    assert temporary.startswith("tmp")
    # The parents of folders that are new first, the folder with the new name last.
    assert folders == ["instances", "source", kept.sha256[:2]]


def test_only_the_owner_can_read_what_is_kept(store: InstanceStore) -> None:
    place = store.resolve(store.keep(Kind.SOURCE, [b"x"]).path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_an_altered_file_is_a_permanent_error(store: InstanceStore) -> None:
    kept = store.keep(Kind.SOURCE, [b"x"])
    store.resolve(kept.path).write_bytes(b"y")
    with pytest.raises(PermanentError, match=f"STORED_FILE_ALTERED.*{kept.sha256}"):
        store.read(kept.path, kept.sha256)


def test_a_missing_file_is_a_permanent_error(store: InstanceStore) -> None:
    with pytest.raises(PermanentError, match="STORED_FILE_MISSING"):
        store.read("source/aa/a.dcm", "a" * 64)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "source/../../outside", "", "source/a\0b"])
def test_a_path_that_leads_out_of_the_store_is_refused(store: InstanceStore, path: str) -> None:
    with pytest.raises(PermanentError, match="PATH_ESCAPES_STORE"):
        store.resolve(path)


def test_a_link_that_leads_out_of_the_store_is_refused(store: InstanceStore, tmp_path: Path) -> None:
    (store.root / "source").symlink_to(tmp_path)
    with pytest.raises(PermanentError, match="PATH_ESCAPES_STORE"):
        store.resolve("source/file")


def test_a_suffix_cannot_name_another_folder(store: InstanceStore) -> None:
    with pytest.raises(PermanentError, match="PATH_ESCAPES_STORE"):
        store.keep(Kind.SOURCE, [b"x"], suffix="/../../outside")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_so_and_leaves_nothing_behind(
    store: InstanceStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFullError, match="STORE_FULL"):
        store.keep(Kind.SOURCE, [b"x"])
    assert files(store) == []


def test_a_full_file_system_is_said_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = tmp_path / "small"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        store = InstanceStore(mounted / "instances", min_free_bytes=0)
        with pytest.raises(StoreFullError, match="STORE_FULL"):
            store.keep(Kind.SOURCE, [os.urandom(2 * 1024 * 1024)])
        assert files(store) == []
        assert store.read((kept := store.keep(Kind.SOURCE, [b"small"])).path, kept.sha256) == b"small"
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_another_fault_of_the_disk_is_transient(store: InstanceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(TransientError, match="STORE_UNWRITABLE"):
        store.keep(Kind.SOURCE, [b"x"])
    assert files(store) == []


def test_a_sender_that_breaks_off_leaves_nothing_behind(store: InstanceStore) -> None:
    def parts() -> Iterator[bytes]:
        yield b"first half"
        raise RuntimeError("the association was aborted")

    with pytest.raises(RuntimeError, match="aborted"):
        store.keep(Kind.SOURCE, parts())
    assert files(store) == []


def test_space_is_required_for_what_is_to_come(store: InstanceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: DiskUsage(1000, 700, 300))
    store.space.marks = DiskMarks(100)
    store.require_space(200)
    with pytest.raises(StoreFullError, match=r"DISK_LOW.*100 bytes free besides 201.*found 300"):
        store.require_space(201)


def test_what_a_killed_writer_left_is_swept_away(store: InstanceStore) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from service.instance_store import *\n"
        "def parts():\n"
        "    yield b'half'; os.kill(os.getpid(), signal.SIGKILL)\n"
        "InstanceStore(Path(sys.argv[1]), 0).keep(Kind.SOURCE, parts())"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(store.root)], cwd=REPOSITORY, check=False)
    assert killed.returncode < 0
    [left_over] = files(store)
    assert left_over.parent.name == "tmp"
    assert store.sweep_temporary(older_than_s=60) == 0
    os.utime(left_over, (time.time() - 61, time.time() - 61))
    assert store.sweep_temporary(older_than_s=60) == 1
    assert files(store) == []
