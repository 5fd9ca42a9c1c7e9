"""Patch discriminators (Isola et al. 2017, arXiv 1611.07004) and the least-squares losses of Mao et al. 2017.

A discriminator gives a map of scores, one per patch: towards 1 for real, towards 0 for made. A conditional one sees the
radiograph beside the soft-tissue image; one of several scales (Wang et al. 2018, arXiv 1711.11585) is several of them,
each on the images at half the size of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError
from models.json_fields import JsonFields

KERNEL, LEAK = 4, 0.2


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Size of a discriminator."""

    channels: tuple[int, ...] = (64, 128, 256)
    """Filters of the convolutions that halve."""
    scales: int = 1
    conditional: bool = False

    def __post_init__(self) -> None:
        if not self.channels or min(self.channels) < 1 or self.scales < 1:
            raise ConfigError(
                "discriminator: one or more layers, channels and scales are needed, "
                f"found {self.channels} and {self.scales}"
            )

    @property
    def smallest_side(self) -> int:
        """Images must have this side or more, px: below it no patch is left at the last scale."""
        return 1 << (len(self.channels) + self.scales - 1)


def read_discriminator(fields: JsonFields, default: DiscriminatorConfig) -> DiscriminatorConfig:
    """From a table of the configuration; whether it is conditional is the method's own affair. Raises ConfigError."""
    config = DiscriminatorConfig(
        channels=fields.integers("channels", default.channels, low=1, high=4096),
        scales=fields.integer("scales", default.scales, low=1, high=5),
        conditional=default.conditional,
    )
    fields.finish()
    return config


class PatchDiscriminator(nn.Module):
    """Image (N, 1, H, W), with its radiograph where conditional → one map of scores (N, 1, h, w) per scale."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.conditional = config.conditional
        self.scales = nn.ModuleList(_patches(config) for _ in range(config.scales))

    def forward(self, image: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        """See the class. Raises ValueError when a condition is missing or is not wanted."""
        if (condition is not None) != self.conditional:
            raise ValueError(f"expected {'a' if self.conditional else 'no'} condition beside the image")
        seen = image if condition is None else torch.cat([image, condition], dim=1)
        scores: list[Tensor] = []
        for scale in self.scales:
            scores.append(scale(seen).float())
            seen = F.avg_pool2d(seen, 2)
        return scores


def made_as_real(scores: Sequence[Tensor]) -> Tensor:
    """What a generator makes small: (score of its images − 1)², mean over patches and scales."""
    return torch.stack([(score - 1).square().mean() for score in scores]).mean()


def told_apart(real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
    """What a discriminator makes small: half of (real − 1)² + made², mean over patches and scales."""
    each = [(r - 1).square().mean() + m.square().mean() for r, m in zip(real, made, strict=True)]
    return 0.5 * torch.stack(each).mean()


def _patches(config: DiscriminatorConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    c_in = 2 if config.conditional else 1
    for i, width in enumerate(config.channels):
        layers.append(nn.Conv2d(c_in, width, KERNEL, stride=2, padding=1))
        if i > 0:
            # Not batch normalisation, as published: a batch in parts must give the gradients of the whole.
            layers.append(nn.GroupNorm(1, width))
        layers.append(nn.LeakyReLU(LEAK))
        c_in = width
    return nn.Sequential(*layers, nn.Conv2d(c_in, 1, 3, padding=1))
