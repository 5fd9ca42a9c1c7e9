"""Where the lungs are, roughly, so that nodules are planted where nodules are looked for and nowhere else.

A network that has to keep bright spots everywhere also keeps shoulder joints and the ends of ribs. Roughly is enough:
dark, inside the body, between the chest walls, above the diaphragm.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.gaussian import gaussian_blur

SMOOTH_SIGMA = 4.0  # px of 512
BODY = 0.06
WALL = 4
"""Bright pixels that make a chest wall, or a diaphragm below."""
LUNG_CM, SLOPE_CM = 10.0, 3.5
"""Of the characteristic curve through which projections are looked at: half bright at 10 cm of water."""


def lung_mask(cxr: Tensor) -> Tensor:
    """(N, 1, H, W), display units, bone bright → the same of 0 and 1."""
    return torch.stack([_one(image) for image in cxr])


def with_lungs(cxr: Tensor) -> Tensor:
    """Radiographs (N, 1, H, W) → (N, 2, H, W): and their lungs."""
    return torch.cat([cxr, lung_mask(cxr)], 1)


def paths_with_lungs(paths: Tensor) -> Tensor:
    """Path integrals of soft tissue and bone (N, 2, H, W), cm of water → (N, 3, H, W): and the lungs."""
    return torch.cat([paths, lung_mask(torch.sigmoid((paths.sum(1, keepdim=True) - LUNG_CM) / SLOPE_CM))], 1)


def _one(image: Tensor) -> Tensor:
    smooth = gaussian_blur(image[None], SMOOTH_SIGMA)[0]
    body = smooth > BODY
    if not bool(body.any()):
        return torch.zeros_like(image)
    bright = (smooth > _threshold(smooth[body])).float()
    left, right = _passed(bright, -1), _passed(bright.flip(-1), -1).flip(-1)
    below = _passed(bright.flip(-2), -2).flip(-2)
    return ((bright == 0) & body & left & right & below).float()


def _passed(bright: Tensor, dim: int) -> Tensor:
    return bright.cumsum(dim) > WALL


def _threshold(values: Tensor) -> float:
    """Otsu's (1979): the brightness that divides `values` into the two classes that lie furthest apart."""
    counts = torch.histc(values, 64, 0, 1)
    centres = (torch.arange(64) + 0.5) / 64
    below, weighted = counts.cumsum(0), (counts * centres).cumsum(0)
    total = below[-1]
    between = (weighted[-1] * below / total - weighted).square() / (below * (total - below)).clamp_min(1e-9)
    return float(centres[between[:-1].argmax()])
