"""ResNet-BS of Rajaraman et al. 2021 ("Chest X-ray bone suppression for improving classification of
tuberculosis-consistent findings", Diagnostics 11(5) 840, arXiv 2104.04518): residual blocks at full resolution.

As published: 16 blocks of two 3 x 3 convolutions with 64 filters, nothing pooled and nothing normalised, each block's
residual scaled by 0.1, a skip over all blocks, a sigmoid at the end (public ports of the code leave that out), the
soft-tissue image as output. What we train for our table is narrower and shallower: at 256 px the published size costs
160 GFLOP an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError


@dataclass(frozen=True)
class ResNetBsConfig:
    """Size of the network; the published one by default."""

    channels: int = 64
    blocks: int = 16
    scaling: float = 0.1
    """What each block's residual is multiplied by before it is added."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.blocks < 1 or not 0 < self.scaling <= 1:
            raise ConfigError(
                "resnet-bs: one or more channels and blocks and a scaling in (0, 1] are needed, "
                f"found {self.channels}, {self.blocks} and {self.scaling}"
            )

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this: nothing is pooled."""
        return 1


class ResNetBs(nn.Module):
    """f(cxr): (N, 1, H, W) in [-1, 1], bone bright → soft-tissue image of the same shape and unit."""

    def __init__(self, config: ResNetBsConfig) -> None:
        super().__init__()
        self.head = nn.Conv2d(1, config.channels, 3, padding=1)
        self.body = nn.Sequential(*(ScaledBlock(config.channels, config.scaling) for _ in range(config.blocks)))
        self.neck = nn.Conv2d(config.channels, config.channels, 3, padding=1)
        self.tail = nn.Conv2d(config.channels, 1, 3, padding=1)

    def forward(self, cxr: Tensor) -> Tensor:
        """See the class; any H and W."""
        h = self.head((cxr + 1) / 2)
        h = h + self.neck(self.body(h))
        return torch.sigmoid(self.tail(h).float()) * 2 - 1


class ScaledBlock(nn.Module):
    """x + scaling · conv(ReLU(conv(x)))."""

    def __init__(self, channels: int, scaling: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.scaling = scaling

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape."""
        return cast(Tensor, x + self.scaling * self.conv2(F.relu(self.conv1(x))))
