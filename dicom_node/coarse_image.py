"""A radiograph as the image check sees it: few cells, ranked, so that no window and no gamma changes what it says.

Shuttered and padded pixels say nothing: the cells cover the rectangle that the valid ones span.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CELLS = 32
SAMPLES_A_SIDE = 512  # a cell is the mean of at most so many / CELLS pixels each way, whatever the matrix
LEAST_VALID = 0.05  # of the picture

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CoarseImage:
    """`ranks` (CELLS, CELLS) float64, -1 darkest to 1 brightest cell, 0 throughout for a picture of one value.

    `structure`: how much of the picture's range (2nd to 98th percentile) is shape: the standard deviation of the cells
    about a smooth field, in shares of that range. Noise, an even field or one with heel effect has next to none.
    """

    ranks: Cells
    structure: float


def coarse_image(display: Image, valid: Mask | None = None) -> CoarseImage | None:
    """The coarse picture of (H, W) `display`; None when too few pixels are there, valid or finite."""
    picture = seen_part(display, valid)
    if picture is None:
        return None
    low, high = np.percentile(picture, (2, 98))
    # Clipped, so that a burnt-in marker or a dead pixel does not make a cell.
    cells = cell_means(np.clip(picture, low, high))
    return CoarseImage(_ranks(cells), _structure(cells, float(high - low)))


def seen_part(display: Image, valid: Mask | None = None) -> Image | None:
    """Every nth pixel of the rectangle that the valid ones span, the others in it at the median; None when too few."""
    if min(display.shape) < CELLS:
        return None
    step = max(1, min(display.shape) // SAMPLES_A_SIDE)
    picture = display[::step, ::step]
    usable = np.isfinite(picture)
    if valid is not None:
        usable &= valid[::step, ::step]
    if usable.all():
        return picture
    if usable.mean() < LEAST_VALID:
        return None
    top, bottom = _span(usable, axis=1)
    left, right = _span(usable, axis=0)
    picture, usable = picture[top:bottom, left:right], usable[top:bottom, left:right]
    if min(picture.shape) < CELLS:
        return None
    return np.where(usable, picture, np.median(picture[usable]))


def cell_means(picture: npt.NDArray[np.floating]) -> Cells:
    """(CELLS, CELLS) means of equal cells of (H, W) `picture`, no side shorter than CELLS."""
    y = np.linspace(0, picture.shape[0], CELLS + 1).astype(int)
    x = np.linspace(0, picture.shape[1], CELLS + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(picture, y[:-1], axis=0, dtype=np.float64), x[:-1], axis=1)
    return np.asarray(sums / np.outer(np.diff(y), np.diff(x)), np.float64)


def _span(usable: Mask, axis: int) -> tuple[int, int]:
    at = np.flatnonzero(np.any(usable, axis=axis))
    return int(at[0]), int(at[-1]) + 1


def _ranks(cells: Cells) -> Cells:
    """Mid-ranks from -1 to 1; equal cells (a saturated background) share one."""
    values, inverse, counts = np.unique(cells.round(6), return_inverse=True, return_counts=True)
    if len(values) < 2:
        return np.zeros_like(cells)
    middle = np.cumsum(counts) - counts / 2
    return np.asarray((2 * middle / cells.size - 1)[inverse].reshape(cells.shape), np.float64)


def _structure(cells: Cells, span: float) -> float:
    if not span > 0:
        return 0.0
    y, x = np.mgrid[-1 : 1 : CELLS * 1j, -1 : 1 : CELLS * 1j]
    smooth = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], -1).reshape(-1, 6)
    flat = cells.ravel()
    rest = flat - smooth @ np.linalg.lstsq(smooth, flat, rcond=None)[0]
    return float(rest.std() / span)
