"""Projection of solid bodies along the beam: each function adds the path length in mm that rays spend inside a body.

Tubes are swept ellipsoids. A tube's projection is the sum over its arc length of the projected cross-section;
replacing that cross-section by the flat ellipse below gives exactly the chord of an elliptic cylinder where the tube
lies across the beam and exactly its cross-section where it runs along the beam, which is what makes the lateral chest
wall bright on a real film.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.phantom.geometry import FIELD_MM, Floats, Grid, spaced

STEP_MM = 2.0
"""Arc length of one straight piece of a tube."""
_PATCH_ELEMENTS = 1_500_000
"""Elements of one batch of patches; bounds the memory (about 6 MB an array)."""


def add_tube(
    canvas: Floats, grid: Grid, points: Floats, thickness: Floats, height: Floats, outward: Floats, density: Floats
) -> None:
    """Adds a curved tube of elliptic cross-section.

    `points` (n, 3) mm is the centre line; `thickness` and `height` (n,) mm are the semi-axes of the cross-section
    along `outward` ((n, 3), made perpendicular to the line) and across it; `density` (n,) scales the path length.
    """
    attributes = np.concatenate([points, outward, np.stack([thickness, height, density], axis=1)], axis=1)
    curve = spaced(attributes.astype(np.float32), STEP_MM)
    shift = np.diff(curve[:, :3], axis=0)
    middle = 0.5 * (curve[1:] + curve[:-1])
    line, normal, (a, b, weight) = middle[:, :3], middle[:, 3:6], middle[:, 6:].T
    step = np.linalg.norm(shift, axis=1)
    tangent = shift / (step[:, None] + 1e-9)
    normal = normal - (normal * tangent).sum(1, keepdims=True) * tangent
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    across = np.cross(tangent, normal)
    scaled = np.stack([tangent * a[:, None], normal * a[:, None], across * b[:, None]])[..., :2]
    spread = np.einsum("kni,knj->nij", scaled, scaled)
    _add_segments(canvas, grid, line[:, :2], shift[:, :2], spread, np.pi * a * b * weight * step)


def add_round_tubes(canvas: Floats, grid: Grid, ends: Floats, radius: Floats) -> None:
    """Adds many straight round tubes at once: `ends` (n, 2, 3) mm, `radius` (n,) mm."""
    shift = ends[:, 1] - ends[:, 0]
    spread = radius[:, None, None] ** 2 * np.eye(2, dtype=np.float32)
    volume = np.pi * radius**2 * np.linalg.norm(shift, axis=1)
    _add_segments(canvas, grid, ends.mean(axis=1)[:, :2], shift[:, :2], spread, volume)


def add_solid(
    canvas: Floats,
    grid: Grid,
    centre: tuple[float, float],
    semi: tuple[float, float, float],
    exponent: float = 2.0,
    angle: float = 0.0,
    density: float = 1.0,
) -> None:
    """Adds a (super)ellipsoid: `semi` are its semi-axes in mm before an in-plane turn by `angle` radians; exponent 2
    is an ellipsoid, larger ones are boxier in the image plane."""
    reach = float(np.hypot(semi[0], semi[1]))
    rows, columns = grid.window(centre[0] - reach, centre[0] + reach, centre[1] - reach, centre[1] + reach)
    x, y = grid.x[:, columns] - centre[0], grid.y[rows] - centre[1]
    u = (x * np.cos(angle) + y * np.sin(angle)) / semi[0]
    v = (y * np.cos(angle) - x * np.sin(angle)) / semi[1]
    inside = np.maximum(0.0, 1.0 - np.abs(u) ** exponent - np.abs(v) ** exponent)
    canvas[rows, columns] += (2.0 * density * semi[2] * np.sqrt(inside)).astype(np.float32)


def _add_segments(
    canvas: Floats, grid: Grid, centre: Floats, shift: Floats, spread: Floats, volume: NDArray[np.floating]
) -> None:
    """Adds flat ellipses {d : d' spread^-1 d <= 1} (mm²), each smeared along its segment `shift` (mm) about `centre`.

    A pixel receives the share of the segment on which the ellipse covers it (the roots of a quadratic), so that long
    steps leave no ripple. Each segment's `volume` in mm³ is kept exactly, however thin it is.
    """
    spread = (spread / grid.spacing**2 + 0.25 * np.eye(2)).astype(np.float32)
    shift = (shift / grid.spacing).astype(np.float32)
    shift[:, 0] += np.where(np.abs(shift).sum(1) < 0.5, 0.5, 0.0).astype(np.float32)
    column = (centre[:, 0] + FIELD_MM / 2) / grid.spacing - 0.5
    row = centre[:, 1] / grid.spacing - 0.5
    half = np.sqrt(np.stack([spread[:, 0, 0], spread[:, 1, 1]], axis=1)) + 0.5 * np.abs(shift)
    reach = np.ceil(half.max(axis=1)).astype(int) + 1
    reach = np.where(reach > 8, (reach + 3) // 4 * 4, reach)
    near = (column > -reach) & (column < grid.size + reach) & (row > -reach) & (row < grid.size + reach)
    for k in np.unique(reach[near]):
        members = np.flatnonzero(near & (reach == k))
        for batch in np.array_split(members, len(members) * (2 * k + 1) ** 2 // _PATCH_ELEMENTS + 1):
            i0, j0 = np.rint(row[batch]).astype(int), np.rint(column[batch]).astype(int)
            offset = np.arange(-k, k + 1)
            dy = ((i0 - row[batch])[:, None] + offset).astype(np.float32)
            dx = ((j0 - column[batch])[:, None] + offset).astype(np.float32)
            cover = _share(dx, dy, shift[batch], spread[batch])
            total = np.maximum(cover.sum((1, 2)), 1e-6)
            cover *= (volume[batch] / grid.spacing**2 / total)[:, None, None].astype(np.float32)
            _scatter(canvas, cover, i0[:, None] + offset, j0[:, None] + offset)


def _share(dx: Floats, dy: Floats, shift: Floats, spread: Floats) -> Floats:
    """(n, K, K): the part of each segment on which the travelling ellipse covers the pixel at (dx, dy), 0 to 1."""
    inverse = np.linalg.inv(spread)
    pulled = np.einsum("nij,nj->ni", inverse, shift)
    a = np.einsum("ni,ni->n", pulled, shift)[:, None, None]
    b = (pulled[:, 1, None] * dy)[:, :, None] + (pulled[:, 0, None] * dx)[:, None, :]
    c = (inverse[:, 1, 1, None] * dy**2 - 1.0)[:, :, None] + (inverse[:, 0, 0, None] * dx**2)[:, None, :]
    c += (2.0 * inverse[:, 0, 1, None] * dy)[:, :, None] * dx[:, None, :]
    root = np.sqrt(np.maximum(b * b - a * c, 0.0)) / a
    b /= a
    share: Floats = np.minimum(b + root, 0.5).clip(-0.5) - np.maximum(b - root, -0.5).clip(None, 0.5)
    return share


def _scatter(canvas: Floats, patches: Floats, i: NDArray[np.int_], j: NDArray[np.int_]) -> None:
    """Adds (n, K, K) patches at rows `i` and columns `j` (n, K); what lies outside the canvas is lost."""
    rows, columns = canvas.shape
    patches *= ((i >= 0) & (i < rows))[:, :, None] & ((j >= 0) & (j < columns))[:, None, :]
    index = i.clip(0, rows - 1)[:, :, None] * columns + j.clip(0, columns - 1)[:, None, :]
    low, high = int(index.min()), int(index.max()) + 1
    canvas.reshape(-1)[low:high] += np.bincount(index.ravel() - low, patches.ravel(), high - low).astype(np.float32)
