from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.pairs.errors import PairDataError
from models.pairs.grey_png import write_grey16
from models.pairs.png_folders import pairs_by_suffix, pairs_in_folders, pairs_in_one_folder
from models.pairs.source import Findings, Polarity

UNKNOWN = Polarity.UNKNOWN


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_grey16(folder / f"{name}.png", np.zeros((2, 2), np.float32))
    return folder


def names(findings: Findings) -> list[str]:
    return [pair.name for pair in findings.pairs]


def test_two_folders_are_paired_by_relative_name(tmp_path: Path) -> None:
    cxr, soft = pictures(tmp_path / "a", "1", "x/2"), pictures(tmp_path / "b", "1", "x/2")
    found = pairs_in_folders(cxr, soft, polarity=UNKNOWN)
    assert names(found) == ["1", "x_2"]
    assert found.pairs[1].cxr.path == cxr / "x/2.png"
    assert found.pairs[1].soft.path == soft / "x/2.png"
    assert found.refused == found.skipped == ()


def test_what_stands_alone_or_twice_is_refused_and_what_is_no_picture_is_skipped(tmp_path: Path) -> None:
    cxr, soft = pictures(tmp_path / "a", "1", "2", "x/3", "x_3"), pictures(tmp_path / "b", "1", "4", "x/3")
    (cxr / "model.pkl").write_bytes(b"\x80\x04.")
    (soft / "fake.png").write_text("no picture")
    found = pairs_in_folders(cxr, soft, polarity=UNKNOWN)
    assert names(found) == ["1"]
    assert {each.name: each.code for each in found.refused} == {
        "2": "PAIR_MISSING",
        "4": "PAIR_MISSING",
        "x_3": "PAIR_AMBIGUOUS",
    }
    assert {path.name for path in found.skipped} == {"model.pkl", "fake.png"}


@pytest.mark.parametrize(("cxr", "soft"), [("_cxr", "_soft"), ("", "_soft"), ("_x", "_soft_x")])
def test_one_folder_is_paired_by_suffix(tmp_path: Path, cxr: str, soft: str) -> None:
    pictures(tmp_path, f"1{cxr}", f"1{soft}", f"p/2{cxr}", f"p/2{soft}")
    found = pairs_by_suffix(tmp_path, cxr, soft, polarity=UNKNOWN)
    assert names(found) == ["1", "p_2"]
    assert found.pairs[0].soft.path.stem == f"1{soft}"


def test_equal_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PairDataError, match="two different suffixes"):
        pairs_by_suffix(tmp_path, "_a", "_a", polarity=UNKNOWN)


def test_a_folder_that_is_laid_out_otherwise_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(PairDataError, match="--cxr-suffix") as caught:
        pairs_in_one_folder(pictures(tmp_path, "1"), polarity=UNKNOWN)
    assert caught.value.code == "EMPTY_FOLDER"


def test_the_pattern_finds_the_patient_in_the_name(tmp_path: Path) -> None:
    cxr, soft = (pictures(tmp_path / side, "p1_a", "p1_b", "p2_a", "other") for side in "ab")
    found = pairs_in_folders(cxr, soft, patient_pattern=r"^(p\d+)_", polarity=UNKNOWN)
    assert {pair.name: pair.patient for pair in found.pairs} == {"p1_a": "p1", "p1_b": "p1", "p2_a": "p2"}
    assert [(each.name, each.code) for each in found.refused] == [("other", "PATIENT_UNKNOWN")]


@pytest.mark.parametrize("pattern", ["(", "p1"])
def test_a_pattern_that_finds_nobody_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(PairDataError, match="patient pattern"):
        pairs_in_folders(tmp_path, tmp_path, patient_pattern=pattern, polarity=UNKNOWN)
