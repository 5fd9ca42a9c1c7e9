from __future__ import annotations

import math

import torch

from models.gaussian import gaussian_blur, high_pass


def test_a_constant_image_stays_and_has_nothing_above_the_blur() -> None:
    flat = torch.full((2, 3, 20, 31), 0.7)
    torch.testing.assert_close(gaussian_blur(flat, 5.0), flat)
    assert float(high_pass(flat, 5.0).abs().max()) < 1e-6


def test_a_point_becomes_a_gaussian() -> None:
    point = torch.zeros(1, 1, 65, 65, dtype=torch.float64)
    point[..., 32, 32] = 1
    blurred = gaussian_blur(point, 3.0)[0, 0]
    assert math.isclose(float(blurred.sum()), 1.0, rel_tol=1e-9)
    ratio = float(blurred[32, 35] / blurred[32, 32])
    assert math.isclose(ratio, math.exp(-0.5), rel_tol=1e-9)


def test_the_kernel_may_be_wider_than_the_image() -> None:
    image = torch.rand(1, 1, 8, 12, generator=torch.Generator().manual_seed(1))
    assert gaussian_blur(image, 60.0).shape == image.shape
    assert bool(torch.isfinite(gaussian_blur(image, 60.0)).all())
