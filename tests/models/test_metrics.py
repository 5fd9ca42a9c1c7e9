from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.gaussian import gaussian_blur
from models.metrics import bone_left, detail_kept, fit, score, tone_fitted_psnr

SIDE = 256


@pytest.fixture(scope="module")
def chest() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A radiograph and its truth: soft lung texture, and ribs that only the radiograph has."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    texture = rng.normal(size=(SIDE, SIDE))
    for axis in (0, 1):
        texture = (texture + np.roll(texture, 1, axis) + np.roll(texture, 2, axis)) / 3
    truth = 0.1 + 0.6 * x + 0.1 * np.sin(3 * y) + 0.05 * texture
    ribs = 0.12 * (np.sin(2 * np.pi * 5 * (y + 0.2 * x)) > 0.6)
    return truth + ribs, truth


def test_doing_nothing_leaves_all_bone_and_keeps_most_detail(chest: tuple[NDArray[np.float64], ...]) -> None:
    cxr, truth = chest
    scores = score(cxr, cxr, truth)
    assert scores.bone_left == pytest.approx(1.0, abs=1e-9)
    assert 0.8 < scores.detail_kept < 1.2
    assert 15 < scores.psnr_db < 40


def test_the_truth_in_another_tone_is_perfect(chest: tuple[NDArray[np.float64], ...]) -> None:
    cxr, truth = chest
    scores = score(0.5 * truth + 0.3, cxr, truth)
    assert scores.psnr_db > 200
    assert scores.bone_left == pytest.approx(0.0, abs=1e-9)
    assert scores.detail_kept == pytest.approx(1.0, abs=1e-9)


def test_bone_left_falls_with_the_bone_that_is_removed(chest: tuple[NDArray[np.float64], ...]) -> None:
    cxr, truth = chest
    left = [bone_left(cxr - share * (cxr - truth), cxr, truth) for share in (0.0, 0.5, 1.0, 1.5)]
    assert left == sorted(left, reverse=True)
    assert left[1] == pytest.approx(0.5, abs=0.1)
    assert left[3] < 0


def test_blurring_loses_detail(chest: tuple[NDArray[np.float64], ...]) -> None:
    import torch

    cxr, truth = chest
    blurred = gaussian_blur(torch.from_numpy(truth)[None, None], 4.0)[0, 0].numpy()
    assert detail_kept(blurred, cxr, truth) < 0.3


def test_the_fit_is_the_least_squares_affine(chest: tuple[NDArray[np.float64], ...]) -> None:
    cxr, truth = chest
    slope, offset = np.polyfit(cxr.ravel(), truth.ravel(), 1)
    np.testing.assert_allclose(fit(cxr, truth), slope * cxr + offset, atol=1e-9)


def test_psnr_is_that_of_the_remaining_error() -> None:
    truth = np.tile([0.25, 0.75], (64, 32))
    noise = np.tile([[0.01, 0.01], [-0.01, -0.01]], (32, 32))
    assert tone_fitted_psnr(truth + noise, truth) == pytest.approx(40.0, abs=0.05)


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        fit(np.zeros((4, 4)), np.zeros((4, 5)))
