"""The lead side marker: an L beside the patient's left shoulder."""

from __future__ import annotations

import numpy as np

from models.phantom.geometry import Floats, Grid

LEAD = 9.0
"""Attenuation of the letter, natural log: nothing comes through."""


def add_marker(canvas: Floats, grid: Grid) -> None:
    """Adds the letter's attenuation: two bars 3 mm wide, anti-aliased."""
    for left, right, top, bottom in ((172.0, 175.0, 14.0, 32.0), (172.0, 183.5, 29.0, 32.0)):
        across = np.clip(np.minimum(grid.x - left, right - grid.x) / grid.spacing + 0.5, 0.0, 1.0)
        down = np.clip(np.minimum(grid.y - top, bottom - grid.y) / grid.spacing + 0.5, 0.0, 1.0)
        np.maximum(canvas, (LEAD * across * down).astype(np.float32), out=canvas)
