"""Aerated lung: how much of each ray lies in it, and whether a point does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.phantom.filters import blur
from models.phantom.geometry import Floats, Grid
from models.phantom.thorax import HEART, LUNGS, solids


def lung_path(grid: Grid, side: int) -> Floats:
    """(H, W) float32, mm: path length in the lung of one side, without its vessels and nodules."""
    path = np.zeros((grid.size, grid.size), np.float32)
    reach = (-2.0, 160.0) if side > 0 else (-160.0, 2.0)
    rows, columns = grid.window(*reach, 48.0, 370.0)
    x, y = grid.x[:, columns], grid.y[rows]
    front, back = LUNGS[side].crossing(x, y)
    crossings = [solid.crossing(x, y) for solid in solids(side)]
    starts = np.stack([np.broadcast_to(start, front.shape) for start, _ in crossings]).clip(front, back)
    ends = np.stack([np.broadcast_to(end, front.shape) for _, end in crossings]).clip(front, back)
    order = np.argsort(starts, axis=0)
    starts, ends = np.take_along_axis(starts, order, 0), np.take_along_axis(ends, order, 0)
    aerated, reached = np.zeros_like(front), front.copy()
    for start, end in zip(starts, ends, strict=True):
        aerated += np.maximum(0.0, start - reached)
        np.maximum(reached, end, out=reached)
    aerated += np.maximum(0.0, back - reached)
    # One heart, not overlapping balls: inside its outline the chambers' own edges are smoothed away.
    heart = np.zeros_like(aerated)
    for chamber in HEART:
        start, end = chamber.crossing(x, y)
        np.maximum(heart, end - start, out=heart)
    inside = np.clip((heart - 22.0) / 25.0, 0.0, 1.0)
    path[rows, columns] = aerated + inside * (blur(aerated, 4.5 / grid.spacing) - aerated)
    return path


def in_lung(points: Floats, side: int, margin: float = 2.0) -> NDArray[np.bool_]:
    """(n, 3) mm -> (n,) True where the point lies in the lung of that side, `margin` mm from its pleura and from
    solids."""
    x, y, z = points.T
    front, back = LUNGS[side].crossing(x, y)
    inside = (z > front + margin) & (z < back - margin)
    for solid in solids(side):
        start, end = solid.crossing(x, y)
        inside &= ~((z > start - margin) & (z < end + margin) & (end > start))
    return np.asarray(inside)
