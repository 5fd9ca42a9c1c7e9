"""Metal and lead in a radiograph, and what a residual may be there: side markers, electrodes, ports, pacemakers.

A network that has learnt bone from dual energy takes metal for bone. Looked for is what bone has not: sharp edges that
run in several directions within a few millimetres, as in letters, clips and connectors; a rib's edge runs in one. Under
such an object the residual becomes what it is beside it: the object keeps its contrast, and a rib that passes below
still goes. Thresholds are multiples of the image's own quantiles, since no window and no processing is like another.
It is meant to be sure rather than complete: a lead or a tube by itself has one direction, and is found by
`models.lines`.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.beside import from_beside
from models.gaussian import gaussian_blur, high_pass
from models.regions import reached

FINE, STEP = 1024, 4
"""Longer side, pixels, on which edges are measured; of its pixels one of the coarse grid, on which objects are
put together, covers `STEP` x `STEP`."""
ORDINARY = 0.8
"""Quantile of a feature that ordinary anatomy reaches."""
CORNER_SIGMA, SHARP, EDGES = 2.0, 3.8, 2.5
"""Coarse pixels over which directions are compared; multiples of the ordinary: of the sharpest edge near a corner, and
of an edge that belongs to the object."""
CORNERS = ((4.8, 0.018), (2.9, 0.042))
"""How steep edges across the strongest direction are where there is no bone: multiples of the ordinary, and share of
the range a fine pixel. Either pair will do: crossing ribs and clavicles reach 4.4 and 0.041, in sharp pictures."""
SUMMED = 6
"""Slopes of a pixel in a difference over two pixels, summed over three rows (Prewitt)."""
REACH, GAP, HOLLOW, BRIGHT = 12, 5, 21, 0.1
"""Coarse pixels: from corners to the last edge of an object; across a gap between edges; across an object's inside,
which is brighter than its surroundings, `BRIGHT_SIGMA` wide, by `BRIGHT` of the range."""
BRIGHT_SIGMA = 15.0
BESIDE_SIGMAS = (2.0, 4.5, 9.0)
"""Coarse pixels over which the residual beside an object is taken."""


def beside_dense_objects(residual: NDArray[np.float32], display: NDArray[np.float32]) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) each, in which dense objects are taken for what is beside them."""
    native = _plane(residual)
    objects = dense_objects(_plane(display))
    if not bool(objects.any()):
        return residual
    height, width = objects.shape[2:]
    beside = from_beside(F.adaptive_avg_pool2d(native, (height, width)), objects == 0, BESIDE_SIGMAS)
    both = F.interpolate(torch.cat([objects, beside], 1), size=native.shape[2:], mode="bilinear")
    changed: NDArray[np.float32] = torch.lerp(native, both[:, 1:], both[:, :1])[0, 0].numpy()
    return changed


def dense_objects(cxr: Tensor) -> Tensor:
    """(1, 1, H, W) in any unit, bone bright → (1, 1, h, w) float32, a quarter of `FINE` on the longer side at most: 1
    in dense objects, 0 elsewhere, a ramp of one pixel between."""
    fine = _fine(cxr.float())
    low, high = _quantile(fine, 0.005), _quantile(fine, 0.995)
    coarse = F.avg_pool2d(fine, STEP)
    if high - low < 1e-3:
        return torch.zeros_like(coarse)
    edges, across = _edges(fine)
    objects = _objects(coarse / (high - low), edges / (high - low), across / (high - low))
    return F.avg_pool2d(_largest(objects, 3), 3, 1, 1, count_include_pad=False)


def _objects(coarse: Tensor, edges: Tensor, across: Tensor) -> Tensor:
    """Objects with sharp edges in more than one direction: their edges, gaps between these, and what they enclose."""
    ordinary, ordinary_across = _quantile(edges, ORDINARY), _quantile(across, ORDINARY)
    steep = min(max(multiple * ordinary_across, slope) for multiple, slope in CORNERS)
    sharp = _largest(edges, 2 * REACH + 1) > SHARP * ordinary
    corners = ((across > steep) & sharp).float()
    outline = reached(corners, (edges > EDGES * ordinary).float() * _largest(corners, 2 * REACH + 1))
    bright = (high_pass(coarse, BRIGHT_SIGMA) > BRIGHT).float()
    return torch.maximum(_closed(outline, GAP), _closed(outline, HOLLOW) * bright)


def _edges(fine: Tensor) -> tuple[Tensor, Tensor]:
    """On the coarse grid: the steepest slope, and the mean slope across the direction in which it is strongest, a fine
    pixel.

    The second is the root of the structure tensor's smaller eigenvalue (Förstner and Gülch 1987).
    """
    padded = F.pad(fine, (1, 1, 1, 1), mode="replicate")
    right, down = padded[..., 2:] - padded[..., :-2], padded[..., 2:, :] - padded[..., :-2, :]
    right = (right[..., :-2, :] + right[..., 1:-1, :]).add_(right[..., 2:, :])
    down = (down[..., :-2] + down[..., 1:-1]).add_(down[..., 2:])
    both = F.avg_pool2d(right * down, STEP)
    across, along = right.square_(), down.square_()
    products = torch.cat([F.avg_pool2d(across, STEP), F.avg_pool2d(along, STEP), both])
    xx, yy, xy = gaussian_blur(products, CORNER_SIGMA).chunk(3)
    smaller = (xx + yy - ((xx - yy) ** 2 + 4 * xy**2).sqrt()) / 2
    steepest = _largest_of(across.add_(along), STEP)
    return steepest.sqrt() / SUMMED, smaller.clamp_min(0).sqrt() / SUMMED


def _closed(mask: Tensor, side: int) -> Tensor:
    return -_largest(-_largest(mask, side), side)


def _largest(plane: Tensor, side: int) -> Tensor:
    """The largest value in `side` x `side` pixels around each, in as many rounds as `side` has binary digits."""
    for dim in (2, 3):
        rest = (side // 2, side // 2)
        plane = F.pad(plane, (*rest, 0, 0) if dim == 3 else (0, 0, *rest), value=-float("inf"))
        width = 1
        while width < side:
            step = min(width, side - width)
            kept = plane.shape[dim] - step
            plane = torch.maximum(plane.narrow(dim, 0, kept), plane.narrow(dim, step, kept))
            width += step
    return plane


def _largest_of(plane: Tensor, step: int) -> Tensor:
    """The largest value of each `step` x `step` pixels: a quarter of what `max_pool2d` takes."""
    rows = reduce(torch.maximum, [plane[..., row::step, :] for row in range(step)])
    return reduce(torch.maximum, [rows[..., column::step] for column in range(step)])


def _quantile(plane: Tensor, share: float) -> float:
    values = plane.flatten()[::5].numpy()
    rank = int(share * (values.size - 1))
    return float(np.partition(values, rank)[rank])


def _plane(image: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]


def _fine(image: Tensor) -> Tensor:
    """`FINE` pixels on the longer side at most, both a multiple of `STEP`."""
    scale = min(1.0, FINE / max(image.shape[2:]))
    size = [max(1, round(side * scale / STEP)) * STEP for side in image.shape[2:]]
    if size == list(image.shape[2:]):
        return image
    return F.interpolate(image, size=size, mode="bilinear", antialias=True)
