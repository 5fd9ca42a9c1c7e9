from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from models.training.objectives.ms_ssim import SCALE_WEIGHTS, ms_ssim, ms_ssim_loss, scale_weights


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand((3, 1, 24, 20), generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, scale_factor=8.0, mode="bicubic").clamp(-1, 1)


@pytest.fixture
def noise() -> Tensor:
    return torch.randn((3, 1, 192, 160), generator=torch.Generator().manual_seed(4))


def test_equal_images_score_one(image: Tensor) -> None:
    torch.testing.assert_close(ms_ssim(image, image), torch.ones(3), atol=1e-6, rtol=0)
    assert abs(float(ms_ssim_loss(image, image))) < 1e-6


def test_the_order_of_the_images_does_not_matter(image: Tensor, noise: Tensor) -> None:
    other = (image + 0.2 * noise).clamp(-1, 1)
    torch.testing.assert_close(ms_ssim(image, other), ms_ssim(other, image))


def test_more_noise_scores_less(image: Tensor, noise: Tensor) -> None:
    scores = [ms_ssim(image, (image + strength * noise).clamp(-1, 1)) for strength in (0.0, 0.05, 0.2, 0.8)]
    assert all(bool((better > worse).all()) for better, worse in pairwise(scores))


@pytest.mark.parametrize("seed", range(4))
def test_scores_stay_between_zero_and_one_even_for_a_negative(seed: int) -> None:
    a = torch.rand((2, 1, 64, 64), generator=torch.Generator().manual_seed(seed)) * 2 - 1
    for b in (-a, torch.full_like(a, -1), torch.full_like(a, 1), a.flip(-1)):
        score = ms_ssim(a, b)
        assert bool(((score >= 0) & (score <= 1)).all())


def test_each_image_is_scored_by_itself(image: Tensor, noise: Tensor) -> None:
    other = image + 0.1 * noise
    alone = torch.cat([ms_ssim(image[i : i + 1], other[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(ms_ssim(image, other), alone)


def test_one_scale_of_flat_images_is_the_luminance_of_the_formula() -> None:
    a, b = torch.full((1, 1, 11, 11), 0.2), torch.full((1, 1, 11, 11), -0.4)
    mean_a, mean_b, c1 = 0.6, 0.3, 0.01**2
    expected = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    assert float(ms_ssim(a, b)) == pytest.approx(expected, abs=1e-4)  # float32 variances


def test_contrast_alone_costs_what_the_formula_says() -> None:
    # Sinusoids of one phase, equal mean, amplitudes p and q: covariance pq/2, variances p²/2 and q²/2.
    x = torch.arange(121) * (2 * math.pi / 11)
    wave = torch.sin(x).view(1, 1, 1, 121).expand(1, 1, 11, 121)
    a, b = 0.8 * wave, 0.4 * wave  # amplitudes 0.4 and 0.2 of a range of 1
    expected = (2 * 0.4 * 0.2) / (0.4**2 + 0.2**2)
    assert float(ms_ssim(a, b)) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (21, 1), (22, 2), (48, 3), (175, 4), (176, 5), (1024, 5)])
def test_small_images_have_fewer_scales_whose_weights_sum_to_one(side: int, scales: int) -> None:
    weights = scale_weights(side)
    assert len(weights) == scales
    assert sum(weights) == pytest.approx(1)
    if scales == 5:
        assert weights == pytest.approx(SCALE_WEIGHTS, abs=1e-3)


def test_the_gradient_points_towards_the_truth(image: Tensor, noise: Tensor) -> None:
    guess = (image + 0.3 * noise).clamp(-1, 1).requires_grad_()
    before = ms_ssim_loss(guess, image)
    (slope,) = torch.autograd.grad(before, guess)
    assert bool(torch.isfinite(slope).all())
    after = ms_ssim_loss(guess.detach() - 0.05 * slope / slope.abs().max(), image)
    assert float(after) < float(before.detach())


def test_a_flat_guess_still_has_a_finite_gradient(image: Tensor) -> None:
    guess = torch.zeros_like(image).requires_grad_()
    (slope,) = torch.autograd.grad(ms_ssim_loss(guess, image), guess)
    assert bool(torch.isfinite(slope).all())


def test_bfloat16_images_are_compared_in_float32(image: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        score = ms_ssim(image.bfloat16(), image.bfloat16())
    assert score.dtype == torch.float32
    torch.testing.assert_close(score, torch.ones(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shapes", [((1, 1, 10, 64), (1, 1, 10, 64)), ((1, 1, 32, 32), (1, 1, 32, 33))])
def test_images_that_cannot_be_compared_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="two equal shapes"):
        ms_ssim(torch.zeros(shapes[0]), torch.zeros(shapes[1]))
