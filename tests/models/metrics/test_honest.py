from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.gaussian import gaussian_blur
from models.metrics import bone_left, detail_kept, fit, score, tone_fitted_psnr
from models.metrics.honest import energies
from models.phantom import Phantom, render
from tests.models.metrics.chests import chest


@pytest.fixture(scope="module", name="chest")
def _chest() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return chest()


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


def test_the_fit_may_look_at_a_part_only_and_is_applied_everywhere() -> None:
    truth = np.tile(np.linspace(0, 1, 8), (8, 1))
    image = 0.5 * truth + 0.1
    image[:4] = 0.9
    inside = np.zeros((8, 8), np.bool_)
    inside[4:] = True
    fitted = fit(image, truth, inside)
    np.testing.assert_allclose(fitted[4:], truth[4:], atol=1e-12)
    np.testing.assert_allclose(fitted[:4], 1.6, atol=1e-12)
    with pytest.raises(ValueError, match="at least one pixel"):
        fit(image, truth, np.zeros((8, 8), np.bool_))


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(512, 7)


def test_doing_nothing_leaves_all_bone_energy_and_all_rib_edges(phantom: Phantom) -> None:
    nothing = energies(phantom.radiograph, phantom.radiograph, phantom.soft_tissue)
    assert nothing.bone_energy_left == pytest.approx(1.0)
    assert nothing.rib_edges_left == pytest.approx(1.0)
    assert nothing.over_suppression > 0


def test_the_truth_leaves_neither_and_keeps_its_texture(phantom: Phantom) -> None:
    perfect = energies(0.7 * phantom.soft_tissue + 0.2, phantom.radiograph, phantom.soft_tissue)
    assert perfect.bone_energy_left == pytest.approx(0.0, abs=1e-9)
    assert perfect.over_suppression == pytest.approx(0.0, abs=1e-9)
    assert perfect.rib_edges_left == pytest.approx(0.0, abs=1e-6)
    assert perfect.high_frequency_energy == pytest.approx(1.0, abs=1e-4)


def test_taking_too_much_is_over_suppression_and_not_bone_left(phantom: Phantom) -> None:
    half, twice = (
        energies(phantom.radiograph - share * phantom.bone, phantom.radiograph, phantom.soft_tissue)
        for share in (0.5, 2.0)
    )
    assert half.rib_edges_left == pytest.approx(0.5, abs=0.1)
    assert twice.rib_edges_left < -0.5
    assert half.bone_energy_left < 0.3
    assert twice.over_suppression > half.over_suppression


def test_a_halo_along_the_ribs_shows_in_the_edges_more_than_in_bone_left(phantom: Phantom) -> None:
    plane = torch.from_numpy(phantom.bone)[None, None]
    blurred = gaussian_blur(plane, 3.0)[0, 0].numpy()
    soft = phantom.radiograph - blurred
    left = bone_left(soft, phantom.radiograph, phantom.soft_tissue)
    edges = energies(soft, phantom.radiograph, phantom.soft_tissue).rib_edges_left
    assert edges > left + 0.05


def test_blurring_loses_high_frequency_energy(phantom: Phantom) -> None:
    plane = torch.from_numpy(phantom.soft_tissue)[None, None]
    blurred = gaussian_blur(plane, 2.0)[0, 0].numpy()
    assert energies(blurred, phantom.radiograph, phantom.soft_tissue).high_frequency_energy < 0.3


def test_images_without_bone_have_no_share_of_it_left() -> None:
    _, truth = chest()
    same = energies(truth, truth, truth)
    assert np.isnan(same.bone_energy_left)
    assert np.isnan(bone_left(truth, truth, truth))


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        fit(np.zeros((4, 4)), np.zeros((4, 5)))
