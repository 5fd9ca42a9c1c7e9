from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.pairs.errors import PairDataError
from models.pairs.grey_png import write_grey16
from models.pairs.jsrt import SIDE, pairs_of_jsrt, read_jsrt_raw
from models.pairs.source import Polarity


def raw(path: Path, values: np.ndarray | None = None, order: str = ">u2") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.zeros((SIDE, SIDE)) if values is None else values
    path.write_bytes(stored.astype(order).tobytes())
    return path


def test_raw_values_are_read_big_endian_and_as_stored(tmp_path: Path) -> None:
    stored = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 4096
    pixels = read_jsrt_raw(raw(tmp_path / "JPCLN001.IMG", stored))
    assert pixels.shape == (SIDE, SIDE)
    np.testing.assert_array_equal(np.rint(pixels * 4095), stored)


def test_a_file_of_another_length_is_refused_with_both_lengths(tmp_path: Path) -> None:
    path = tmp_path / "JPCNN001.IMG"
    path.write_bytes(bytes(1000))
    with pytest.raises(PairDataError, match=r"8,388,608 bytes .* found 1,000") as caught:
        read_jsrt_raw(path)
    assert caught.value.code == "RAW_SIZE_WRONG"


def test_a_file_in_the_other_byte_order_is_noticed(tmp_path: Path) -> None:
    path = raw(tmp_path / "JPCNN001.IMG", np.full((SIDE, SIDE), 0x0123), "<u2")
    with pytest.raises(PairDataError, match="big-endian") as caught:
        read_jsrt_raw(path)
    assert caught.value.code == "RAW_DEPTH_WRONG"


def test_radiographs_find_their_companions_raw_or_png(tmp_path: Path) -> None:
    raw(tmp_path / "jsrt/Nodule154images/JPCLN001.IMG")
    raw(tmp_path / "jsrt/NonNodule93images/jpcnn002.img")
    raw(tmp_path / "jsrt/NonNodule93images/JPCNN003.IMG")
    (tmp_path / "jsrt/Clinical_Information.txt").write_text("…")
    raw(tmp_path / "bse/JPCLN001.IMG")
    write_grey16(tmp_path / "bse/JPCNN002.png", np.zeros((4, 4), np.float32))
    write_grey16(tmp_path / "bse/JPCNN009_bse.png", np.zeros((4, 4), np.float32))
    found = pairs_of_jsrt((tmp_path / "jsrt", tmp_path / "bse"))
    assert [pair.name for pair in found.pairs] == ["JPCLN001", "JPCNN002"]
    assert [pair.cxr.polarity for pair in found.pairs] == [Polarity.DARK] * 2
    assert found.pairs[0].soft.path == tmp_path / "bse/JPCLN001.IMG"
    assert [(each.name, each.code) for each in found.refused] == [
        ("JPCNN003", "PAIR_MISSING"),
        ("JPCNN009", "PAIR_MISSING"),
    ]
    assert [path.name for path in found.skipped] == ["Clinical_Information.txt"]


def test_two_raw_files_of_one_name_in_one_folder_ask_for_two_folders(tmp_path: Path) -> None:
    raw(tmp_path / "a/JPCLN001.IMG")
    raw(tmp_path / "b/JPCLN001.IMG")
    found = pairs_of_jsrt((tmp_path,))
    assert found.pairs == ()
    assert found.refused[0].code == "PAIR_AMBIGUOUS"
    assert "second" in found.refused[0].detail
