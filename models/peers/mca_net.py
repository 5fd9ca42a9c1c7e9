"""MCA-Net of Zhou et al. ("Generation of virtual dual energy images from standard single-shot radiographs using
multi-scale and conditional adversarial network", arXiv 1810.09354): the generator.

As published: a generator that works at several scales, trained against a discriminator that sees the radiograph too.
Here it is two U-Nets: one at half the resolution, one at full resolution that sees the radiograph and the first one's
estimate. It differs from the paper in what it predicts: the paper's generator gives the bone image, from which a cross
projection of gradients derives the soft tissue; ours gives the soft-tissue image at once, as the other rows of our
table do. Widths, depths and normalisation are ours; the discriminator is in `models.training.objectives.adversarial`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError

LEAK = 0.2


@dataclass(frozen=True)
class McaNetConfig:
    """Size of the generator."""

    channels: tuple[int, ...] = (32, 64, 128, 256)
    """Filters per level of the coarse U-Net; each level halves. The fine one has one level less, half as wide."""

    def __post_init__(self) -> None:
        if len(self.channels) < 3 or min(self.channels) < 2:
            raise ConfigError(f"mca-net: three or more levels of two or more channels, found {self.channels}")

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 1 << len(self.channels)


class McaNet(nn.Module):
    """f(cxr): (N, 1, H, W) in [-1, 1], bone bright → soft-tissue image of the same shape and unit."""

    def __init__(self, config: McaNetConfig) -> None:
        super().__init__()
        self.coarse = ScaleNet(1, config.channels)
        self.fine = ScaleNet(2, tuple(width // 2 for width in config.channels[:-1]))

    def forward(self, cxr: Tensor) -> Tensor:
        """See the class; H and W must be multiples of `McaNetConfig.stride`."""
        return self.scales(cxr)[-1]

    def scales(self, cxr: Tensor) -> tuple[Tensor, Tensor]:
        """Both estimates: at half the resolution, (N, 1, H/2, W/2), and at full resolution."""
        coarse = torch.tanh(self.coarse(F.avg_pool2d(cxr, 2)).float())
        guide = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        return coarse, torch.tanh(self.fine(torch.cat([cxr, guide], dim=1)).float())


class ScaleNet(nn.Module):
    """A U-Net (N, c_in, H, W) → (N, 1, H, W), unbounded, with skips at every level."""

    def __init__(self, c_in: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(c_in, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_block(wide, deep, 2) for wide, deep in pairwise(widths))
        self.up = nn.ModuleList(_block(deep + wide, wide, 1) for wide, deep in reversed(list(pairwise(widths))))
        self.tail = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class; H and W must be multiples of 2 to the number of halvings."""
        skips = [F.leaky_relu(self.stem(x), LEAK)]
        for block in self.down:
            skips.append(block(skips[-1]))
        h = skips.pop()
        for block in self.up:
            h = block(torch.cat([F.interpolate(h, scale_factor=2.0), skips.pop()], dim=1))
        return cast(Tensor, self.tail(h))


def _block(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    # Instance normalisation: an image's result must not depend on its batch.
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1),
        nn.InstanceNorm2d(c_out, affine=True),
        nn.LeakyReLU(LEAK),
    )
