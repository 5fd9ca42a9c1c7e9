"""Room that arriving files set aside, so that many senders at once do not run into the floor together."""

from __future__ import annotations

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service import space as space_module
from service.errors import StoreFullError
from service.instance_store import InstanceStore, Kind
from service.space import FIRST_EXPECTED_BYTES, MIB, DiskMarks, Space

DiskUsage = namedtuple("DiskUsage", "total used free")


class Disk:
    """A disk of 1000 MiB whose free space the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 1000 * MIB
        monkeypatch.setattr(
            space_module.shutil, "disk_usage", lambda _: DiskUsage(0, 1000 * MIB - self.free, self.free)
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_arrivals_that_open_together_cannot_pass_the_floor_together(disk: Disk, tmp_path: Path) -> None:
    space = Space(tmp_path, DiskMarks(min_free_bytes=100 * MIB))
    disk.free = 100 * MIB + 5 * FIRST_EXPECTED_BYTES + 1

    def reserve(_: int) -> bool:
        try:
            space.reserve()
        except StoreFullError:
            return False
        return True

    with ThreadPoolExecutor(25) as threads:
        assert sum(threads.map(reserve, range(25))) == 5


def test_what_grows_past_its_room_sets_more_aside_or_is_refused(disk: Disk, tmp_path: Path) -> None:
    space = Space(tmp_path, DiskMarks(min_free_bytes=100 * MIB))
    disk.free = 100 * MIB + 2 * FIRST_EXPECTED_BYTES
    one = space.reserve()
    one.written(FIRST_EXPECTED_BYTES)
    disk.free -= FIRST_EXPECTED_BYTES
    one.written(1)
    assert space.set_aside_bytes == FIRST_EXPECTED_BYTES - 1
    with pytest.raises(StoreFullError, match="DISK_LOW"):
        space.reserve()
    with pytest.raises(StoreFullError, match="DISK_LOW"):
        one.written(FIRST_EXPECTED_BYTES)
    one.release(kept=False)
    assert space.set_aside_bytes == 0


def test_room_is_given_back_and_sizes_are_learnt(disk: Disk, tmp_path: Path) -> None:
    store = InstanceStore(tmp_path / "instances", 0)
    small = store.open_arriving()
    small.write(b"x" * 1000)
    store.adopt(Kind.SOURCE, small)
    large = store.open_arriving()
    large.write(b"y" * (40 * MIB))
    store.adopt(Kind.SOURCE, large)
    left = store.open_arriving()
    left.write(b"z")
    left.discard()
    assert store.space.set_aside_bytes == 0
    assert store.space.expected_bytes == 40 * MIB


def test_between_the_marks_a_disk_is_neither_full_nor_recovered(disk: Disk, tmp_path: Path) -> None:
    space = Space(tmp_path, DiskMarks(0, high_percent=95, low_percent=90))
    disk.free = 30 * MIB
    assert space.above_high_mark() is not None
    disk.free = 70 * MIB
    assert space.above_high_mark() is None
    assert "90 %" in (space.above_low_mark() or "")
    disk.free = 110 * MIB
    assert space.above_low_mark() is None


def test_the_floor_has_a_low_mark_a_tenth_above_it(disk: Disk, tmp_path: Path) -> None:
    space = Space(tmp_path, DiskMarks(200 * MIB))
    disk.free = 210 * MIB + FIRST_EXPECTED_BYTES
    assert space.above_high_mark() is None
    assert space.above_low_mark() is not None
