from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.errors import ConfigError
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig, tone

SMALL = ResidualUNetConfig(channels=(8, 8, 12), blocks=1, image_size=64)


@pytest.fixture
def network() -> ResidualUNet:
    """Random weights in the head as well, which starts at zero."""
    torch.manual_seed(2)
    network = ResidualUNet(SMALL)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval().requires_grad_(False)


@pytest.fixture
def cxr() -> Tensor:
    return torch.rand((2, 1, 64, 96), generator=torch.Generator().manual_seed(1)) - 0.5


def test_the_residual_has_the_radiographs_shape(network: ResidualUNet, cxr: Tensor) -> None:
    residual = network(cxr)
    assert residual.shape == cxr.shape
    assert residual.dtype == torch.float32


def test_before_training_nothing_is_taken_away(cxr: Tensor) -> None:
    assert float(ResidualUNet(SMALL)(cxr).detach().abs().max()) == 0


def test_gain_and_offset_of_the_radiograph_change_only_the_residuals_gain(network: ResidualUNet, cxr: Tensor) -> None:
    torch.testing.assert_close(network(0.5 * cxr + 0.2), 0.5 * network(cxr), atol=1e-4, rtol=1e-3)


def test_black_borders_do_not_enter_the_tone(cxr: Tensor) -> None:
    framed = torch.full((2, 1, 128, 128), -1.0)
    framed[..., 32:96, 16:112] = cxr
    for inside, outside in zip(tone(cxr), tone(framed), strict=True):
        torch.testing.assert_close(inside, outside)


def test_a_black_image_gives_a_finite_residual(network: ResidualUNet) -> None:
    assert bool(torch.isfinite(network(torch.full((1, 1, 64, 64), -1.0))).all())


@pytest.mark.parametrize("size", [60, 100])
def test_sizes_the_levels_cannot_halve_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="multiple of 8"):
        ResidualUNetConfig(channels=(8, 8, 8), image_size=size)
