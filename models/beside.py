"""A plane's values under an object, taken from beside it: what a residual would be there without the object."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.gaussian import gaussian_blur

ENOUGH = 0.1
"""Share of a neighbourhood that must be free to be believed."""


def from_beside(plane: Tensor, free: Tensor, sigmas: Sequence[float]) -> Tensor:
    """`plane`, (1, 1, H, W), from where it is `free` (1, elsewhere 0): of the neighbourhoods `sigmas`, in pixels and
    rising, the nearest in which there is enough of it; 0 where there is none."""
    known = torch.cat([plane * free, free.float()])
    found, weight = torch.zeros_like(plane), torch.zeros_like(plane)
    for sigma in sigmas:
        total, share = gaussian_blur(known, sigma).chunk(2)
        here = (1 - weight) * (share / ENOUGH).clamp_max(1)
        found, weight = found + here * total / share.clamp_min(1e-4), weight + here
    return found
