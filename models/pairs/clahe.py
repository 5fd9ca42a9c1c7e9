"""Contrast-limited adaptive histogram equalisation, as in BS-Diff (Zuiderveld, Graphics Gems IV, 1994).

Each tile has a tone curve, its clipped and cumulated histogram; a pixel goes through the curves of the four nearest
tiles, blended by its distance to their centres. The curves are continuous, so 16 bits stay 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.pairs.errors import PairDataError, PairFault

BINS = 256


@dataclass(frozen=True)
class Clahe:
    """Its settings."""

    clip: float = 2.0
    """The highest count of a bin, in multiples of a flat histogram's."""
    tiles: int = 8
    """Along each side."""

    def __post_init__(self) -> None:
        if not (1.0 <= self.clip <= BINS and 1 <= self.tiles <= 64):
            raise PairDataError(
                PairFault.OPTION_INVALID,
                f"CLAHE: expected a clip limit of 1 to {BINS} and 1 to 64 tiles, found {self.clip:g} and {self.tiles}",
            )


def equalise(image: NDArray[np.float32], settings: Clahe) -> NDArray[np.float32]:
    """(H, W) float32, [0, 1] (clipped to it) → the same shape and range."""
    values = np.clip(image, 0.0, 1.0).astype(np.float32)
    height, width = values.shape
    rows, columns = (min(settings.tiles, side) for side in (height, width))
    y, x = (np.linspace(0, side, count + 1).round().astype(int) for side, count in ((height, rows), (width, columns)))
    curves = [
        [_curve(values[y[i] : y[i + 1], x[j] : x[j + 1]], settings.clip) for j in range(columns)] for i in range(rows)
    ]
    edges = np.linspace(0.0, 1.0, BINS + 1)
    low_j, high_j, share_x = _neighbours(x)
    result = np.empty_like(values)
    low_i, high_i, share_y = _neighbours(y)
    for i in range(rows):  # rows of pixels that share their lower row of tiles
        band = np.flatnonzero(low_i == i)
        if band.size == 0:
            continue
        for j in range(columns):
            strip = np.flatnonzero(low_j == j)
            if strip.size == 0:
                continue
            block = np.ix_(band, strip)
            across, down = share_x[strip][None, :], share_y[band][:, None]
            part = values[block]
            upper, lower = (
                (1 - across) * np.interp(part, edges, curves[k][j])
                + across * np.interp(part, edges, curves[k][int(high_j[strip[0]])])
                for k in (i, int(high_i[band[0]]))
            )
            result[block] = (1 - down) * upper + down * lower
    return result


def _curve(tile: NDArray[np.float32], clip: float) -> NDArray[np.float64]:
    """The tone curve at the bins' edges, 0 … 1, never falling."""
    counts = np.histogram(tile, bins=BINS, range=(0.0, 1.0))[0].astype(np.float64)
    limit = clip * tile.size / BINS
    for _ in range(BINS):  # what is cut off is spread evenly, which may lift other bins over the limit
        excess = float(np.maximum(counts - limit, 0.0).sum())
        if excess <= 1e-6 * tile.size:
            break
        counts = np.minimum(counts, limit) + excess / BINS
    return np.asarray(np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum(), np.float64)


def _neighbours(edges: NDArray[np.int_]) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float32]]:
    """For each pixel of an axis: the tiles whose centres lie on both sides of it, and the second one's share."""
    centres = (edges[:-1] + edges[1:]) / 2
    position = np.interp(np.arange(edges[-1]) + 0.5, centres, np.arange(centres.size))
    low = np.minimum(position.astype(int), max(centres.size - 2, 0))
    high = np.minimum(low + 1, centres.size - 1)
    return low, high, (position - low).astype(np.float32)
