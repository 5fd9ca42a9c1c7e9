"""A U-Net (Ronneberger et al. 2015) that predicts the bone residual of a radiograph in the radiograph's own tone.

Two habits make it fit for strangers' images: the input is standardised by its own mean and spread, and the output
scaled back by that spread, so that a change of gain and offset changes the residual by the same gain and by nothing
else; and no layer normalises over positions, so that a crop in training and a whole radiograph are treated alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError

BLACK = -0.98  # at and below this lie letterbox, collimator and air: they say nothing about tone


@dataclass(frozen=True)
class ResidualUNetConfig:
    """Size of the network."""

    channels: tuple[int, ...] = (24, 48, 96, 128, 160)
    """Per level, the first at half the image's side, each next at half of the one before."""
    blocks: int = 1
    """Residual blocks per level, on the way down and on the way up."""
    image_size: int = 512
    """Side of the square image the network was trained for, pixels."""
    bone_map: bool = False
    """Whether the network also says where bone is, which it has to learn from exact bone; no result uses it."""

    def __post_init__(self) -> None:
        if len(self.channels) < 2 or min(self.channels) < 1 or self.blocks < 1:
            raise ConfigError("residual-unet: two or more levels of one or more channels and blocks are needed")
        if self.image_size % self.stride:
            raise ConfigError(f"residual-unet: image_size must be a multiple of {self.stride}, found {self.image_size}")

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 1 << len(self.channels)


class ResidualUNet(nn.Module):
    """f(cxr): (N, 1, H, W) in [-1, 1], bone bright → bone residual (N, 1, H, W) in the same unit."""

    def __init__(self, config: ResidualUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.channels
        self.stem = nn.Conv2d(4, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, width in enumerate(widths):
            narrower = widths[max(level - 1, 0)]
            self.down.append(_stage(narrower, width, config.blocks))
            if level + 1 < len(widths):
                self.up.append(_stage(width + widths[level + 1], width, config.blocks))
        self.head = nn.Conv2d(widths[0], 8 if config.bone_map else 4, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(cast(Tensor, self.head.bias))

    def forward(self, cxr: Tensor) -> Tensor:
        """See the class; H and W must be multiples of `config.stride`."""
        return self.with_map(cxr)[0]

    def with_map(self, cxr: Tensor) -> tuple[Tensor, Tensor | None]:
        """The residual and, if the network has one, the map of bone as logits; (N, 1, H, W) float32 each."""
        mean, spread = tone(cxr)
        h = self.stem(F.pixel_unshuffle((cxr - mean) / spread, 2))
        skips: list[Tensor] = []
        for level, stage in enumerate(self.down):
            h = stage(F.avg_pool2d(h, 2) if level else h)
            skips.append(h)
        h = skips.pop()
        for stage in reversed(self.up):
            h = stage(torch.cat([F.interpolate(h, scale_factor=2.0), skips.pop()], dim=1))
        out = self.head(F.silu(h)).float()
        bone_map = F.pixel_shuffle(out[:, 4:], 2) if self.config.bone_map else None
        return F.pixel_shuffle(out[:, :4], 2) * spread, bone_map


class ResidualBlock(nn.Module):
    """x + conv(SiLU(conv(SiLU(x)))), after a 1 x 1 convolution where the width changes; starts as nothing."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.skip: nn.Module = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        with torch.no_grad():
            self.conv2.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) → (N, c_out, H, W)."""
        return cast(Tensor, self.skip(x) + self.conv2(F.silu(self.conv1(F.silu(x)))))


def tone(cxr: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each image where it is not black, (N, 1, 1, 1) float32 each."""
    cxr = cxr.float()
    shown = (cxr > BLACK).float()
    count = shown.sum((1, 2, 3), keepdim=True).clamp_min(1)
    mean = (cxr * shown).sum((1, 2, 3), keepdim=True) / count
    variance = ((cxr - mean).square() * shown).sum((1, 2, 3), keepdim=True) / count
    return mean, variance.sqrt().clamp_min(1e-2)


def _stage(c_in: int, c_out: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(c_in, c_out), *(ResidualBlock(c_out, c_out) for _ in range(blocks - 1)))
