from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.pairs.errors import PairDataError
from models.pairs.folder import PairFolder, file_digest, read_pair_folder
from models.pairs.grey_png import read_grey16, write_grey16
from models.pairs.record import PairRecord, PairsFile, read_pairs_file, write_pairs_file
from models.pairs.split import Split


def ramp(rows: int = 5, columns: int = 7) -> np.ndarray:
    return np.linspace(0, 1, rows * columns, dtype=np.float32).reshape(rows, columns)


def pair(folder: Path, name: str, *, soft_rows: int = 5) -> None:
    for side, rows in (("cxr", 5), ("soft_tissue", soft_rows)):
        (folder / side).mkdir(parents=True, exist_ok=True)
        write_grey16(folder / side / f"{name}.png", ramp(rows))


def record(folder: Path, name: str, patient: str, split: Split) -> PairRecord:
    cxr, soft = (file_digest(folder / side / f"{name}.png") for side in ("cxr", "soft_tissue"))
    return PairRecord(patient, split, "a" * 64, "b" * 64, cxr, soft, False, True, 0.5, -1.25, 0.1, 1.001, 0.8, 0.9)


def code_of(folder: Path) -> str:
    with pytest.raises(PairDataError) as caught:
        read_pair_folder(folder)
    return caught.value.code


def test_sixteen_bits_come_back_as_they_were_written(tmp_path: Path) -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(stored).save(tmp_path / "all.png")
    pixels = read_grey16(tmp_path / "all.png")
    assert pixels.dtype == np.float32
    write_grey16(tmp_path / "again.png", pixels)
    with Image.open(tmp_path / "again.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), stored)


def test_eight_bits_and_grey_in_colour_channels_are_read_alike(tmp_path: Path) -> None:
    grey = (ramp() * 255).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([grey] * 3, -1)).save(tmp_path / "colour.png")
    np.testing.assert_array_equal(read_grey16(tmp_path / "grey.png"), read_grey16(tmp_path / "colour.png"))
    np.testing.assert_allclose(read_grey16(tmp_path / "grey.png"), grey / 255, atol=1e-7)


@pytest.mark.parametrize(
    ("content", "code"),
    [("colour", "NOT_GREY"), ("truncated", "NOT_READABLE"), ("text", "NOT_READABLE"), ("missing", "NOT_READABLE")],
)
def test_what_is_no_grey_png_is_refused_by_name(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "picture.png"
    if content == "colour":
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 5, 3), dtype=np.uint8)).save(path)
    elif content == "truncated":
        write_grey16(path, ramp(64, 64))
        path.write_bytes(path.read_bytes()[:-40])
    elif content == "text":
        path.write_text("not a picture")
    with pytest.raises(PairDataError, match=r"picture\.png") as caught:
        read_grey16(path)
    assert caught.value.code == code


def test_a_folder_without_record_makes_every_pair_a_patient(tmp_path: Path) -> None:
    for name in "abc":
        pair(tmp_path, name)
    found = read_pair_folder(tmp_path, seed=1)
    assert [(each.name, each.patient) for each in found.pairs] == [("a", "a"), ("b", "b"), ("c", "c")]
    assert {each.split for each in found.pairs} == set(Split)
    assert sum(map(len, (found.of(split) for split in Split))) == 3


def test_the_digest_changes_with_a_pixel_and_with_the_split_only(tmp_path: Path) -> None:
    for name in "abc":
        pair(tmp_path, name)
    first = read_pair_folder(tmp_path)
    assert read_pair_folder(tmp_path).digest == first.digest
    assert read_pair_folder(tmp_path, ratios=(1, 0, 0)).digest != first.digest
    write_grey16(tmp_path / "cxr/a.png", 1 - ramp())
    assert read_pair_folder(tmp_path).digest != first.digest


def test_an_empty_or_absent_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "EMPTY_FOLDER"
    assert code_of(tmp_path / "nowhere") == "EMPTY_FOLDER"


def test_a_picture_without_companion_is_named(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    pair(tmp_path, "b")
    (tmp_path / "soft_tissue/b.png").unlink()
    with pytest.raises(PairDataError, match=r"cxr/b\.png") as caught:
        read_pair_folder(tmp_path)
    assert caught.value.code == "PAIR_MISSING"


def test_sizes_that_differ_are_named_with_both_pictures(tmp_path: Path) -> None:
    pair(tmp_path, "a", soft_rows=6)
    with pytest.raises(PairDataError, match=r"cxr/a\.png of 7 × 5 and soft_tissue/a\.png of 7 × 6") as caught:
        read_pair_folder(tmp_path)
    assert caught.value.code == "PAIR_SIZES_DIFFER"


def recorded(folder: Path) -> PairFolder:
    pair(folder, "a")
    pair(folder, "b")
    pairs = {"a": record(folder, "a", "p", Split.TEST), "b": record(folder, "b", "p", Split.TEST)}
    write_pairs_file(folder, PairsFile(7, (0.8, 0.1, 0.1), {"size": 512}, {"NOT_GREY": 2}, pairs, "d"))
    return read_pair_folder(folder, seed=99)


def test_the_record_decides_patients_and_split(tmp_path: Path) -> None:
    assert [(each.patient, each.split) for each in recorded(tmp_path).pairs] == [("p", Split.TEST)] * 2


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    recorded(tmp_path)
    contents, text = read_pairs_file(tmp_path), (tmp_path / "pairs.json").read_text()
    assert contents.pairs["a"] == record(tmp_path, "a", "p", Split.TEST)
    write_pairs_file(tmp_path, contents)
    assert (tmp_path / "pairs.json").read_text() == text


def test_a_picture_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    recorded(tmp_path)
    write_grey16(tmp_path / "soft_tissue/b.png", 1 - ramp())
    assert code_of(tmp_path) == "PAIR_ALTERED"


def test_a_pair_that_was_added_or_taken_away_is_noticed(tmp_path: Path) -> None:
    recorded(tmp_path)
    pair(tmp_path, "c")
    assert code_of(tmp_path) == "PAIR_ALTERED"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}', "[" * 100_000])
def test_a_record_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    recorded(tmp_path)
    (tmp_path / "pairs.json").write_text(text)
    assert code_of(tmp_path) == "PAIRS_FILE_INVALID"
