"""Lines keep their contrast: what a residual takes from them, and from them alone, is given back.

Under a line the residual may be what it is beside it, and no more. So a rib that passes below a line still goes, a
residual that took nothing from the line stays as it is, and nothing is ever taken that was not taken before.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.beside import from_beside
from models.lines.finder import lines_in
from models.lines.scaled import scaled

NARROW = 9
"""Pixels of the grid on which lines are found: wider than a line as a network shows it, narrower than a rib."""
BLURRED = 5
"""Side of the surroundings, in pixels of the grid on which lines are found, over which a network has spread a line."""
SOFTENED = 3
BESIDE_SIGMAS = (2.0, 4.5, 9.0)
"""Of the same pixels: how far beside a line the residual is looked up."""


def with_lines_kept(residual: NDArray[np.float32], display: NDArray[np.float32]) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) float32 each in display units, without what it takes from lines.

    Raises WeightsError when the network that finds lines is missing or altered.
    """
    native, cxr = _plane(residual), _plane(display)
    lines = lines_in(cxr)
    if not bool(lines.any()):
        return residual
    near = F.max_pool2d(lines, BLURRED, 1, BLURRED // 2)
    coarse = scaled(native)
    beside = torch.maximum(from_beside(coarse, 1 - near, BESIDE_SIGMAS), _opened(coarse))
    taken = (coarse - beside).clamp_min(0)
    given = taken * F.avg_pool2d(near, SOFTENED, 1, SOFTENED // 2, count_include_pad=False)
    kept: NDArray[np.float32] = (native - F.interpolate(given, native.shape[2:], mode="bilinear"))[0, 0].numpy()
    return kept


def _opened(plane: torch.Tensor) -> torch.Tensor:
    """`plane` without what is bright and narrower than `NARROW` pixels (Serra 1982): an edge of a rib stays an edge."""
    least = -F.max_pool2d(-plane, NARROW, 1, NARROW // 2)
    return F.max_pool2d(least, NARROW, 1, NARROW // 2)


def _plane(image: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]
