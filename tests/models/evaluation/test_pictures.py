from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.errors import EvaluationError
from models.evaluation.pictures import (
    PngReader,
    at_figure_size,
    named_pictures,
    read_case,
    read_picture,
    require_names,
)
from models.pairs.errors import PairDataError
from tests.models.evaluation.factories import write_pairs, write_png

CHESS = np.indices((64, 64)).sum(0) % 2 * 0.5


class NanReader(PngReader):
    def read(self, path: Path) -> NDArray[np.float32]:
        display = super().read(path)
        display[3, 4] = np.nan
        return display


def test_eight_and_sixteen_bits_read_alike(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, 256), (64, 1))
    eight, sixteen = (read_picture(write_png(tmp_path / f"{bits}.png", ramp, bits), PngReader()) for bits in (8, 16))
    np.testing.assert_allclose(eight, ramp, atol=0.002)
    np.testing.assert_allclose(sixteen, ramp, atol=1e-5)


def test_pictures_are_found_by_name_and_other_files_passed_over(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        write_png(tmp_path / f"{name}.png", CHESS)
    (tmp_path / "README.md").write_text("not a picture")
    assert list(named_pictures(tmp_path, PngReader())) == ["a", "b"]


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    for ending in (".png", ".PNG"):
        write_png(tmp_path / f"a{ending}", CHESS)
    with pytest.raises(EvaluationError, match=r"one picture of a name .* a.PNG and a.png"):
        named_pictures(tmp_path, PngReader())


@pytest.mark.parametrize("make", [True, False])
def test_an_empty_or_absent_folder_is_said_to_be_so(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "cxr"
    if make:
        folder.mkdir()
    with pytest.raises(EvaluationError, match="a folder without any" if make else "no such folder") as raised:
        named_pictures(folder, PngReader())
    assert raised.value.code == "EMPTY_FOLDER"


def test_names_without_a_picture_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none named b, c, d, e, f and 1 more"):
        require_names([*"abcdefg"], {"a": tmp_path}, tmp_path)


def test_a_truth_of_another_size_names_both(tmp_path: Path) -> None:
    paths = [write_png(tmp_path / side / "a.png", image) for side, image in (("x", CHESS), ("y", CHESS[:, :40]))]
    with pytest.raises(EvaluationError, match=r"y/a.png to be 64 × 64 pixels .* found 40 × 64") as raised:
        read_case("a", *paths, PngReader())
    assert raised.value.code == "SIZES_DIFFER"


def test_the_radiograph_in_another_tone_is_no_truth(tmp_path: Path) -> None:
    paths = [write_png(tmp_path / side / "a.png", image) for side, image in (("x", CHESS), ("y", 0.5 * CHESS + 0.2))]
    with pytest.raises(EvaluationError, match="found the radiograph itself"):
        read_case("a", *paths, PngReader())


def test_nan_a_tiny_picture_and_a_damaged_file_are_refused_by_name(tmp_path: Path) -> None:
    good = write_png(tmp_path / "good.png", CHESS)
    with pytest.raises(EvaluationError, match=r"good.png: expected finite pixels"):
        read_picture(good, NanReader())
    with pytest.raises(EvaluationError, match=r"tiny.png: expected at least 32 pixels a side, found 20 × 64"):
        read_picture(write_png(tmp_path / "tiny.png", CHESS[:, :20]), PngReader())
    (tmp_path / "bad.png").write_bytes(good.read_bytes()[:-40])
    with pytest.raises(PairDataError, match=r"bad.png"):
        read_picture(tmp_path / "bad.png", PngReader())


@pytest.mark.parametrize(("shape", "expected"), [((300, 200), (1024, 683)), ((2000, 4000), (512, 1024))])
def test_figures_are_taken_with_the_longer_side_at_1024(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0, 1, shape[1], dtype=np.float32), (shape[0], 1))
    scaled = at_figure_size(ramp)
    assert scaled.shape == expected
    np.testing.assert_allclose(scaled[5], np.linspace(0, 1, expected[1]), atol=0.01)


def test_a_picture_of_that_size_is_left_alone(tmp_path: Path) -> None:
    display = np.random.default_rng(1).random((10, 1024), np.float32)
    assert at_figure_size(display) is display


def test_a_pair_is_read_at_its_own_size(tmp_path: Path) -> None:
    [phantom] = write_pairs(tmp_path, ["one"], side=80)
    case = read_case("one", tmp_path / "cxr/one.png", tmp_path / "truth/one.png", PngReader())
    assert case.cxr.shape == (80, 80)
    np.testing.assert_allclose(case.truth, phantom.soft_tissue, atol=1e-4)
