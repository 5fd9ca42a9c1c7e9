"""The autoencoder-like network of Gusarev et al. 2017 ("Deep learning models for bone suppression in chest
radiographs", IEEE CIBCB, doi 10.1109/CIBCB.2017.8058543): three convolutions with max pooling, three deconvolutions.

As published: 5 x 5 kernels, 16, 32 and 64 filters, rectified, no skip connection, the soft-tissue image as output. Here
the last layer ends in a sigmoid instead of a rectifier, which would kill the gradient of every black pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError


@dataclass(frozen=True)
class GusarevConfig:
    """Size of the network; the published one by default."""

    channels: tuple[int, ...] = (16, 32, 64)
    """Filters of each convolution; each is followed by a halving."""
    kernel: int = 5
    """Side of every kernel, odd."""

    def __post_init__(self) -> None:
        if not self.channels or min(self.channels) < 1:
            raise ConfigError(f"gusarev: one or more layers of one or more channels are needed, found {self.channels}")
        if self.kernel < 3 or self.kernel % 2 == 0:
            raise ConfigError(f"gusarev: kernel must be odd and 3 or more, found {self.kernel}")

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 1 << len(self.channels)


class Gusarev(nn.Module):
    """f(cxr): (N, 1, H, W) in [-1, 1], bone bright → soft-tissue image of the same shape and unit."""

    def __init__(self, config: GusarevConfig) -> None:
        super().__init__()
        widths, kernel = (1, *config.channels), config.kernel
        self.encoder = nn.ModuleList(
            nn.Conv2d(wide, narrow, kernel, padding=kernel // 2) for wide, narrow in pairwise(widths)
        )
        self.decoder = nn.ModuleList(
            nn.ConvTranspose2d(narrow, wide, kernel, stride=2, padding=kernel // 2, output_padding=1)
            for wide, narrow in reversed(list(pairwise(widths)))
        )

    def forward(self, cxr: Tensor) -> Tensor:
        """See the class; H and W must be multiples of `GusarevConfig.stride`."""
        h = (cxr + 1) / 2
        for layer in self.encoder:
            h = F.max_pool2d(F.relu(layer(h)), 2)
        for layer in self.decoder[:-1]:
            h = F.relu(layer(h))
        return torch.sigmoid(self.decoder[-1](h).float()) * 2 - 1
