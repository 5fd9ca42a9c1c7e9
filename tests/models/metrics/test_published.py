from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.metrics.published import (
    bone_suppression_ratio,
    eight_bit,
    psnr,
    psnr_wrapped,
    published,
    structural_similarity,
)
from models.pairs.folder import read_grey16
from models.phantom import Phantom, render


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(512, 7)


def test_doing_nothing_already_scores_a_high_bsr(phantom: Phantom) -> None:
    ratio = bone_suppression_ratio(phantom.radiograph, phantom.radiograph, phantom.soft_tissue)
    assert 0.6 < ratio < 0.95


def test_bsr_counts_what_is_too_dark_only(phantom: Phantom) -> None:
    """Any bone that is left, on pixels that leave the mean alone, costs nothing: the flaw by which it is known."""
    truth = np.full((64, 64), 0.5)
    cxr = truth + 0.2
    brighter = truth + np.where(np.arange(64) % 2, 0.1, 0.0)
    assert bone_suppression_ratio(truth, cxr, truth) == 1.0
    assert bone_suppression_ratio(truth - 0.3, cxr, truth) == pytest.approx(1.0)  # a shift is taken out
    lost = bone_suppression_ratio(brighter, cxr, truth)
    assert lost == pytest.approx(1 - 0.5 * 0.05**2 / 0.2**2)  # only the dark half of the error, after the shift


def test_the_truth_is_perfect(phantom: Phantom) -> None:
    found = published(phantom.soft_tissue, phantom.radiograph, phantom.soft_tissue)
    assert (found.bsr, found.mse, found.ssim) == (1.0, 0.0, pytest.approx(1.0))
    assert found.psnr_db == found.psnr_wrapped_db == float("inf")
    assert found.lpips is found.lpips_as_published is None


@pytest.mark.parametrize("seed", range(20))
def test_the_wrapped_psnr_never_reads_below_24_db(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(0, 256, 2))
    a, b = (rng.integers(low, high + 1, (32, 32)).astype(np.uint8) for _ in range(2))
    assert psnr_wrapped(a, b) >= 10 * np.log10(255) - 1e-9


def test_the_wrapped_psnr_forgets_an_error_of_sixteen_and_is_right_below_it() -> None:
    black = np.zeros((8, 8), np.uint8)
    assert psnr_wrapped(black + np.uint8(16), black) == float("inf")
    assert psnr_wrapped(black, black + np.uint8(15)) == pytest.approx(psnr(black / 255, (black + 15) / 255))


def test_the_wrapped_psnr_of_a_real_radiograph_reads_28_to_29_db_where_20_to_24_are_true(shared: Path) -> None:
    pairs = shared / "data" / "pairs"
    for name in ("0", "1", "2"):
        cxr, truth = (read_grey16(pairs / side / f"{name}.png") for side in ("cxr", "soft_tissue"))
        assert 27.5 < psnr_wrapped(eight_bit(cxr), eight_bit(truth)) < 29.5
        assert 19.5 < psnr(cxr, truth) < 24.5
        assert 0.6 < bone_suppression_ratio(cxr, cxr, truth) < 0.9


def test_ssim_is_that_of_its_definition_window_by_window() -> None:
    rng = np.random.default_rng(2)
    x = rng.random((12, 11))
    y = np.clip(0.8 * x + 0.2 * rng.random((12, 11)), 0, 1)

    def one(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        c1, c2 = 0.01**2, 0.03**2
        covariance = np.cov(a.ravel(), b.ravel())
        top = (2 * a.mean() * b.mean() + c1) * (2 * covariance[0, 1] + c2)
        return float(top / ((a.mean() ** 2 + b.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)))

    windows = [
        one(x[row : row + 7, column : column + 7], y[row : row + 7, column : column + 7])
        for row in range(6)
        for column in range(5)
    ]
    assert structural_similarity(x, y) == pytest.approx(np.mean(windows), abs=1e-9)


def test_ssim_needs_one_whole_window() -> None:
    with pytest.raises(ValueError, match="7 x 7"):
        structural_similarity(np.zeros((6, 50)), np.zeros((6, 50)))
