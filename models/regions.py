"""Regions of a radiograph by brightness and connection: what shows air or collimation, and what hangs together.

Masks are (1, 1, h, w) float32 of 0 and 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def air_or_collimation(plane: Tensor, *, very_dark: float, dark: float, grainless: float) -> Tensor:
    """Where `plane`, 0 to 1, is very dark, or dark with less than `grainless` standard deviation over 5 x 5 pixels."""

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(values, (2, 2, 2, 2), mode="replicate"), 5, 1)

    grain = (mean(plane**2) - mean(plane) ** 2).clamp_min(0).sqrt()
    return ((plane < very_dark) | ((plane < dark) & (grain < grainless))).float()


def edge(plane: Tensor) -> Tensor:
    """The outermost pixels."""
    mask = torch.zeros_like(plane)
    for side in (mask[..., :1, :], mask[..., -1:, :], mask[..., :1], mask[..., -1:]):
        side.fill_(1.0)
    return mask


def reached(seeds: Tensor, allowed: Tensor) -> Tensor:
    """Those pixels of `allowed` from which a path inside `allowed` leads to one of `seeds`; corners touch."""
    found = seeds * allowed
    while True:
        grown = F.max_pool2d(found, 3, 1, 1) * allowed
        if torch.equal(grown, found):
            return found
        found = grown
