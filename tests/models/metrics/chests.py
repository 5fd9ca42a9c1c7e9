"""A radiograph with known truth for the metrics' tests: a striped stand-in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 256


def chest() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A radiograph and its truth: soft lung texture, and ribs that only the radiograph has."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    texture = rng.normal(size=(SIDE, SIDE))
    for axis in (0, 1):
        texture = (texture + np.roll(texture, 1, axis) + np.roll(texture, 2, axis)) / 3
    truth = 0.1 + 0.6 * x + 0.1 * np.sin(3 * y) + 0.05 * texture
    ribs = 0.12 * (np.sin(2 * np.pi * 5 * (y + 0.2 * x)) > 0.6)
    return truth + ribs, truth
