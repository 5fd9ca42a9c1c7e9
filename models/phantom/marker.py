"""The lead side marker: an L beside the patient's left shoulder."""

from __future__ import annotations

import numpy as np

from models.phantom.geometry import Floats, Grid


def add_marker(canvas: Floats, grid: Grid) -> None:
    """Whitens the letter in a display image: two bars 3 mm wide, anti-aliased; nothing comes through lead."""
    for left, right, top, bottom in ((172.0, 175.0, 14.0, 32.0), (172.0, 183.5, 29.0, 32.0)):
        across = np.clip(np.minimum(grid.x - left, right - grid.x) / grid.spacing + 0.5, 0.0, 1.0)
        down = np.clip(np.minimum(grid.y - top, bottom - grid.y) / grid.spacing + 0.5, 0.0, 1.0)
        np.maximum(canvas, (across * down).astype(np.float32), out=canvas)
