"""Lines as radiographs show them, drawn with exactly known contrast: for training and for measuring what is kept.

A solid line (lead, wire, catheter filled with contrast, clip) attenuates along the chord of a circle; a tube along what
its wall leaves of that chord, and more along the opaque stripe in its wall. All of it is additive in display units, as
attenuation is before tone curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
STRIPE_MM, STRIPE_PLACE = 1.0, 0.6
"""A stripe's width, and how far from the axis it lies, of the radius."""
STEP = 0.5
"""Pixels between two points of a path as it is drawn."""


@dataclass(frozen=True)
class Line:
    """What is drawn: `wall_mm` is None for a solid line; contrasts in display units."""

    width_mm: float
    contrast: float
    wall_mm: float | None = None
    stripe: float = 0.0


def drawn(line: Line, path: Plane, shape: tuple[int, int], pixel_mm: float) -> Plane:
    """(H, W), display units, of `line` along `path`, (N, 2) rows and columns in pixels, N ≥ 2; 0 beside it."""
    radius = line.width_mm / 2 / pixel_mm
    distance, side = _from_path(path, shape, radius + 2)
    chord = _chord(distance, radius)
    if line.wall_mm is None:
        return line.contrast * chord / radius
    bore = max(radius - line.wall_mm / pixel_mm, 0.0)
    wall = (chord - _chord(distance, bore)) / np.sqrt(radius**2 - bore**2)
    half = STRIPE_MM / 2 / pixel_mm
    stripe = np.where(np.isfinite(distance), _chord(np.abs(side - STRIPE_PLACE * radius), half) / half, 0.0)
    picture: Plane = line.contrast * wall + line.stripe * stripe
    return picture


def smooth_path(points: Plane) -> Plane:
    """A curve through `points`, (N, 2) pixels, N ≥ 2, no two alike (Catmull and Rom 1974), a point every `STEP`."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    lengths = np.hypot(*np.diff(points, axis=0).T)
    parts = [np.linspace(i, i + 1, math.ceil(length / STEP), endpoint=False) for i, length in enumerate(lengths)]
    at = np.concatenate(parts)
    first = at.astype(int)
    u = (at - first)[:, None]
    a, b, c, d = (ends[first + k] for k in range(4))
    curve: Plane = (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3) / 2
    return curve


def _chord(distance: Plane, radius: float) -> Plane:
    """Half the way through a circle of `radius` at `distance` from its middle."""
    return np.sqrt(np.maximum(radius**2 - np.where(np.isfinite(distance), distance, np.inf) ** 2, 0.0))


def _from_path(path: Plane, shape: tuple[int, int], reach: float) -> tuple[Plane, Plane]:
    """Distance to the path within `reach` of it, infinite elsewhere, and the same with a sign: on which side of it."""
    distance, side = np.full(shape, np.inf), np.zeros(shape)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    for (row, column), (down, right) in zip(path, along, strict=True):
        top, left = max(0, int(row - reach)), max(0, int(column - reach))
        bottom, far = min(shape[0], int(row + reach) + 2), min(shape[1], int(column + reach) + 2)
        if top >= bottom or left >= far:
            continue
        rows, columns = np.arange(top, bottom)[:, None] - row, np.arange(left, far)[None] - column
        here = np.hypot(rows, columns)
        nearer = here < np.minimum(distance[top:bottom, left:far], reach)
        distance[top:bottom, left:far][nearer] = here[nearer]
        side[top:bottom, left:far][nearer] = (columns * down - rows * right)[nearer]
    return distance, side
