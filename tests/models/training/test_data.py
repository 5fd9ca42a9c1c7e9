from __future__ import annotations

import torch

from models.training.data import letterboxed, trust


def test_a_square_image_fills_the_square() -> None:
    image = torch.rand((1, 1, 16, 16))
    torch.testing.assert_close(letterboxed(image, 16), image)


def test_a_wide_image_is_fitted_into_the_square() -> None:
    fitted = letterboxed(torch.ones(1, 1, 40, 80), 32)
    assert fitted.shape == (1, 1, 32, 32)
    torch.testing.assert_close(fitted[0, 0, 8:24], torch.ones(16, 32))
    assert float(fitted[0, 0, :8].max()) == 0


def test_what_moved_between_the_exposures_is_not_trusted() -> None:
    generator = torch.Generator().manual_seed(1)
    texture = torch.nn.functional.avg_pool2d(torch.rand((1, 1, 132, 132), generator=generator), 5, stride=1)
    soft = texture.clone()
    soft[..., 96:, :] = soft[..., 96:, :].roll(7, dims=-1)
    trusted = trust(texture, texture - soft)[0, 0]
    assert float(trusted[:64].min()) > 0.95
    assert float(trusted[112:].mean()) < 0.2
