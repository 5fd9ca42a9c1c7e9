"""Path lengths in bone, kept apart for compact cortex and for the spongy marrow space inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.phantom import projection
from models.phantom.geometry import Floats, Grid


@dataclass(frozen=True)
class BonePaths:
    """(H, W) float32 canvases in mm: `outer` holds whole bones, `marrow` their insides; cortex is the difference."""

    outer: Floats
    marrow: Floats

    @classmethod
    def empty(cls, grid: Grid) -> BonePaths:
        """No bone yet."""
        shape = (grid.size, grid.size)
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def add_tube(
        self,
        grid: Grid,
        line: Floats,
        thickness: NDArray[np.floating] | float,
        height: NDArray[np.floating] | float,
        cortex: NDArray[np.floating] | float,
        outward: Floats | None = None,
        density: NDArray[np.floating] | float = 1.0,
    ) -> None:
        """A long bone along `line` (n, 3): semi-axes, cortical thickness in mm; `outward` (n, 3) is where the thin
        axis points."""
        count = len(line)
        a, b, shell, dense = (
            np.broadcast_to(v, count).astype(np.float32) for v in (thickness, height, cortex, density)
        )
        if outward is None:
            outward = np.broadcast_to(np.array([0, 0, 1], np.float32), (count, 3))
        projection.add_tube(self.outer, grid, line, a, b, outward, dense)
        inner_a, inner_b = np.maximum(a - shell, 0.15 * a), np.maximum(b - shell, 0.15 * b)
        projection.add_tube(self.marrow, grid, line, inner_a, inner_b, outward, dense)

    def add_solid(
        self,
        grid: Grid,
        centre: tuple[float, float],
        semi: tuple[float, float, float],
        cortex: float,
        exponent: float = 2.0,
        angle: float = 0.0,
        density: float = 1.0,
    ) -> None:
        """A compact bone: a (super)ellipsoid with a shell `cortex` mm thick."""
        inner = (max(0.1, semi[0] - cortex), max(0.1, semi[1] - cortex), max(0.1, semi[2] - cortex))
        projection.add_solid(self.outer, grid, centre, semi, exponent, angle, density)
        projection.add_solid(self.marrow, grid, centre, inner, exponent, angle, density)

    @property
    def cortex(self) -> Floats:
        """(H, W) float32, mm of compact bone."""
        return np.asarray(np.maximum(self.outer - self.marrow, 0.0), np.float32)
