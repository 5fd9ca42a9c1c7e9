from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.gaussian import gaussian_blur
from models.parity import Parity, compare, mean_parity
from models.phantom import render

PHANTOM = render(128)


def plane(display: object) -> Tensor:
    return torch.as_tensor(display, dtype=torch.float32)[None, None] * 2 - 1


CXR, SOFT = plane(PHANTOM.radiograph), plane(PHANTOM.soft_tissue)
BONE = CXR - SOFT
GRAIN = 0.1 * torch.randn(BONE.shape, generator=torch.Generator().manual_seed(0))


def test_the_same_residual_has_parity_in_every_figure() -> None:
    assert compare(CXR, SOFT, 0.8 * BONE, 0.8 * BONE) == Parity(0.0, 0.0, 0.0, 0.0, 0.0)
    assert compare(CXR, SOFT, 0.8 * BONE, 0.8 * BONE).passed


def test_less_bone_taken_is_a_psnr_drop_and_bone_left() -> None:
    found = compare(CXR, SOFT, 0.5 * BONE, 0.9 * BONE)
    assert found.psnr_drop_db > 3
    assert found.bone_left_change == pytest.approx(0.4, abs=0.05)
    assert not found.passed
    assert compare(CXR, SOFT, 0.9 * BONE, 0.5 * BONE).psnr_drop_db == pytest.approx(-found.psnr_drop_db)


def test_texture_that_is_smoothed_away_is_found_although_psnr_rises() -> None:
    grainy = 0.9 * BONE + GRAIN
    found = compare(CXR, SOFT, gaussian_blur(grainy, 2.0), grainy)
    assert found.psnr_drop_db < 0
    assert found.residual_energy_change < -0.2
    assert not found.passed


def test_energies_change_with_the_square_of_what_is_scaled() -> None:
    assert compare(CXR, SOFT, 0.5 * BONE, BONE).residual_energy_change == pytest.approx(-0.75, abs=1e-4)


def test_vessels_that_go_with_the_bone_are_told() -> None:
    with_vessels = 0.9 * BONE + (SOFT - gaussian_blur(SOFT, 2.0))
    assert compare(CXR, SOFT, with_vessels, 0.9 * BONE).detail_change < -0.2


def test_two_empty_residuals_are_alike_and_one_is_not() -> None:
    empty = torch.zeros_like(BONE)
    assert compare(CXR, SOFT, empty, empty).passed
    assert not compare(CXR, SOFT, 0.1 * BONE, empty).passed


@pytest.mark.parametrize(
    ("figures", "passed"),
    [
        ((0.1, 0.05, -0.05), True),
        ((-3.0, 0.0, 0.0), True),
        ((0.11, 0.0, 0.0), False),
        ((0.0, -0.051, 0.0), False),
        ((0.0, 0.0, 0.051), False),
        ((float("nan"), 0.0, 0.0), False),
        ((0.0, float("nan"), 0.0), False),
    ],
)
def test_the_verdict_follows_the_bounds(figures: tuple[float, float, float], passed: bool) -> None:
    assert Parity(*figures, 0.0, 0.0).passed is passed


def test_the_mean_is_that_of_each_figure() -> None:
    assert mean_parity([Parity(1, 2, 3, 4, 5), Parity(3, 4, 5, 6, 7)]) == Parity(2, 3, 4, 5, 6)
