"""Lung nodules at known places, one of them hidden under a rib: what bone suppression is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.phantom.geometry import Floats, Grid
from models.phantom.projection import add_solid
from models.phantom.ribs import RIBS, rib_line


class Nodule(NamedTuple):
    """Centre row and column, and radius, in pixels."""

    row: float
    column: float
    radius: float


@dataclass(frozen=True)
class Lesion:
    """A solid nodule: centre and radius in mm."""

    x: float
    y: float
    radius: float

    def on(self, grid: Grid) -> Nodule:
        """Its place on a detector."""
        row, column = grid.pixel(self.x, self.y)
        return Nodule(row, column, self.radius / grid.spacing)


def _behind_rib(number: int, x: float) -> Lesion:
    """A 13 mm nodule centred on the back arc of a rib at `x` mm."""
    line = rib_line(RIBS[number - 1], 1 if x > 0 else -1)
    back = line[: len(line) // 2]
    nearest = back[np.argmin(np.abs(back[:, 0] - x))]
    return Lesion(x, float(nearest[1]), 6.5)


NODULES: tuple[Lesion, ...] = (_behind_rib(6, -84.0), Lesion(92.0, 146.0, 8.0), Lesion(104.0, 262.0, 5.0))


def add_nodules(canvas: Floats, grid: Grid, nodules: tuple[Lesion, ...] = NODULES) -> None:
    """Adds the path length in mm through every nodule: three overlapping lobes each, as few are perfect spheres."""
    for lesion in nodules:
        r = lesion.radius
        add_solid(canvas, grid, (lesion.x, lesion.y), (0.92 * r, 0.86 * r, 0.72 * r), 2.0, 0.4)
        add_solid(canvas, grid, (lesion.x + 0.22 * r, lesion.y - 0.18 * r), (0.74 * r, 0.70 * r, 0.42 * r))
        add_solid(canvas, grid, (lesion.x - 0.20 * r, lesion.y + 0.20 * r), (0.70 * r, 0.74 * r, 0.42 * r))
