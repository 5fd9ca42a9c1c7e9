"""The phantom's coordinates and curves, for every file that places anatomy.

Lengths are in mm. x grows to the right of the image (the patient's left, as a radiograph hangs), 0 at the midline; y
grows downwards, 0 at the upper edge; z grows towards the back, 0 halfway between front and back. The beam runs along
z (parallel projection), so a pixel's grey is an integral over z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Curve = Callable[[Floats], Floats]

FIELD_MM = 404.2
"""Edge of the square detector field: 2021 pixels of 0.2 mm."""


@dataclass(frozen=True)
class Grid:
    """A square detector of `size` × `size` pixels that covers FIELD_MM."""

    size: int

    @property
    def spacing(self) -> float:
        """Pixel pitch in mm."""
        return FIELD_MM / self.size

    @property
    def x(self) -> Floats:
        """(1, size) float32, mm: the columns' centres."""
        return (((np.arange(self.size) + 0.5) * self.spacing) - FIELD_MM / 2).astype(np.float32)[None, :]

    @property
    def y(self) -> Floats:
        """(size, 1) float32, mm: the rows' centres."""
        return ((np.arange(self.size) + 0.5) * self.spacing).astype(np.float32)[:, None]

    def window(self, left: float, right: float, top: float, bottom: float) -> tuple[slice, slice]:
        """Rows and columns that touch the rectangle (mm), cut to the detector; possibly empty."""

        def span(low: float, high: float) -> slice:
            first = min(self.size, max(0, int(np.floor(low / self.spacing))))
            return slice(first, max(first, min(self.size, int(np.ceil(high / self.spacing)))))

        return span(top, bottom), span(left + FIELD_MM / 2, right + FIELD_MM / 2)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """(row, column) of a point in mm; whole numbers are pixel centres."""
        return y / self.spacing - 0.5, (x + FIELD_MM / 2) / self.spacing - 0.5


def through(knots: Sequence[tuple[float, float]]) -> Curve:
    """A monotone cubic through (position, value) knots, constant outside (Fritsch and Carlson 1980)."""
    position, value = (np.array(column, np.float64) for column in zip(*knots, strict=True))
    step = np.diff(position)
    secant = np.diff(value) / step
    slope = np.zeros_like(value)
    same_sign = secant[:-1] * secant[1:] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = 2.0 / (1.0 / secant[:-1] + 1.0 / secant[1:])
    slope[1:-1] = np.where(same_sign, harmonic, 0.0)
    slope[0], slope[-1] = secant[0], secant[-1]

    def evaluate(at: Floats) -> Floats:
        inside = np.clip(np.asarray(at, np.float64), position[0], position[-1])
        i = np.clip(np.searchsorted(position, inside, side="right") - 1, 0, len(step) - 1)
        h = step[i]
        t = (inside - position[i]) / h
        return (
            value[i] * (1 + 2 * t) * (1 - t) ** 2
            + slope[i] * h * t * (1 - t) ** 2
            + value[i + 1] * t**2 * (3 - 2 * t)
            + slope[i + 1] * h * t**2 * (t - 1)
        ).astype(np.float32)

    return evaluate


def spaced(points: Floats, step: float) -> Floats:
    """(n, 3 + k) points of a space curve with k attributes -> the same curve at about `step` mm of arc length."""
    lengths = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.linspace(0.0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(wanted, along, column) for column in points.T], axis=1).astype(np.float32)


def spline(points: Sequence[Sequence[float]], count: int = 200) -> Floats:
    """(count, d) points of a smooth curve through the given points."""
    table = np.array(points, np.float64)
    chord = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(table[:, :3], axis=0), axis=1))])
    wanted = np.linspace(0.0, chord[-1], count).astype(np.float32)
    columns = [through(list(zip(chord.tolist(), column.tolist(), strict=True)))(wanted) for column in table.T]
    return np.stack(columns, axis=1)


def mirrored(points: Floats, side: int) -> Floats:
    """A curve drawn for the patient's left (x > 0) on the wanted side: +1 left, -1 right."""
    return points * np.array([side, *[1.0] * (points.shape[1] - 1)], np.float32)
