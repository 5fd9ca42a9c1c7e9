"""The network that finds lines: a U-Net without normalisation, so that a crop and a whole image agree."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.gaussian import gaussian_blur

CHANNELS = (8, 20, 32, 48)
MULTIPLE = 2 ** (len(CHANNELS) - 1)
"""Both sides of what the network sees must be a multiple of this."""
LOCAL_SIGMA = 12.0
"""Pixels; what is slower than this is anatomy and tone, and reaches the network a tenth as strong."""
LOCAL_GAIN, TONE_GAIN = 10.0, 2.0


class LineNetwork(nn.Module):
    """Two views of a radiograph, (N, 2, H, W) → logit of a line in each pixel, (N, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, CHANNELS[0], 3, padding=1)
        self.down = nn.ModuleList(_Block(width) for width in CHANNELS)
        self.shrink = nn.ModuleList(nn.Conv2d(wide, narrow, 3, 2, 1) for wide, narrow in pairwise(CHANNELS))
        self.widen = nn.ModuleList(nn.Conv2d(narrow, wide, 1) for wide, narrow in pairwise(CHANNELS))
        self.up = nn.ModuleList(_Block(width) for width in CHANNELS[:-1])
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)

    def forward(self, views: Tensor) -> Tensor:
        """Both sides a multiple of `MULTIPLE`."""
        features = self.first(views)
        kept = []
        for block, shrink in zip(self.down, self.shrink, strict=False):
            features = block(features)
            kept.append(features)
            features = shrink(F.relu(features))
        features = self.down[-1](features)
        for block, widen, skip in zip(reversed(self.up), reversed(self.widen), reversed(kept), strict=True):
            features = block(skip + F.interpolate(widen(features), scale_factor=2.0, mode="bilinear"))
        logits: Tensor = self.last(F.relu(features))
        return logits


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.outer(F.relu(self.inner(F.relu(features))))
        return features + changed


def views_of(cxr: Tensor) -> Tensor:
    """(N, 1, H, W), 0 to 1 between the radiograph's dark and bright ends → (N, 2, H, W): local contrast, and tone."""
    return torch.cat([LOCAL_GAIN * (cxr - gaussian_blur(cxr, LOCAL_SIGMA)), TONE_GAIN * (cxr - 0.5)], 1)
