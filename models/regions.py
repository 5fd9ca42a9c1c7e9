"""Regions of a radiograph by brightness and connection: what shows air or collimation, and what hangs together.

Masks are (1, 1, h, w) float32 of 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """Parts of a mask. `number`: (h, w), 1 to n in the n parts, 0 elsewhere; `extent`: (n,), pixels from end to end of
    each part's bounds."""

    number: NDArray[np.int64]
    extent: NDArray[np.float64]

    def sums(self, plane: Tensor) -> NDArray[np.float64]:
        """(n,): the sum over each part of `plane`, (1, 1, h, w)."""
        values = plane[0, 0].cpu().numpy()
        sums: NDArray[np.float64] = np.bincount(
            self.number.ravel(), weights=values.ravel().astype(np.float64), minlength=self.extent.size + 1
        )[1:].astype(np.float64)
        return sums

    def only(self, chosen: Mask) -> Tensor:
        """(1, 1, h, w) float32: 1 in those parts that are `chosen`, (n,)."""
        return torch.from_numpy(np.concatenate([[False], chosen])[self.number].astype(np.float32))[None, None]


def air_or_collimation(plane: Tensor, *, very_dark: float, dark: float, grainless: float) -> Tensor:
    """Where `plane`, 0 to 1, is very dark, or dark with less than `grainless` standard deviation over 5 x 5 pixels."""

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(values, (2, 2, 2, 2), mode="replicate"), 5, 1)

    grain = (mean(plane**2) - mean(plane) ** 2).clamp_min(0).sqrt()
    return ((plane < very_dark) | ((plane < dark) & (grain < grainless))).float()


def edge(plane: Tensor) -> Tensor:
    """The outermost pixels."""
    mask = torch.zeros_like(plane)
    for side in (mask[..., :1, :], mask[..., -1:, :], mask[..., :1], mask[..., -1:]):
        side.fill_(1.0)
    return mask


def reached(seeds: Tensor, allowed: Tensor) -> Tensor:
    """Those pixels of `allowed` from which a path inside `allowed` leads to one of `seeds`; corners touch.

    Whole rows and columns of `allowed` are filled at once: a path costs a round a turn, not a round a pixel.
    """
    open_to = allowed[0, 0].cpu().numpy() > 0
    found = (seeds[0, 0].cpu().numpy() > 0) & open_to
    rows, columns = _runs(open_to), _runs(open_to.T)
    while True:
        grown = _filled(_filled(_with_neighbours(found) & open_to, rows).T, columns).T
        if np.array_equal(grown, found):
            return torch.from_numpy(grown.astype(np.float32)).to(allowed)[None, None]
        found = grown


def parts_of(mask: Tensor) -> Parts:
    """What of `mask`, (1, 1, h, w), hangs together, corners touching."""
    open_to = mask[0, 0].cpu().numpy() > 0
    rows, columns = np.nonzero(open_to)
    if not rows.size:
        return Parts(np.zeros(open_to.shape, np.int64), np.zeros(0))
    _, part = np.unique(_parts(open_to)[open_to], return_inverse=True)
    sides = []
    for places in (rows, columns):
        first, last = np.full(part.max() + 1, open_to.size), np.zeros(part.max() + 1, np.int64)
        np.minimum.at(first, part, places)
        np.maximum.at(last, part, places + 1)
        sides.append(last - first)
    number = np.zeros(open_to.shape, np.int64)
    number[open_to] = part + 1
    return Parts(number, np.hypot(*sides))


def _parts(mask: Mask) -> NDArray[np.int64]:
    """A number for all that hangs together in `mask`, the least of its runs'; 0 elsewhere.

    Runs hand on their least number to those they touch in the next row, and jump to what that one has got.
    """
    runs = _runs(mask)
    beside = np.pad(runs[:-1], ((0, 0), (1, 1)))
    above = np.stack([beside[:, shift : shift + mask.shape[1]] for shift in range(3)])
    below = np.broadcast_to(runs[1:], above.shape)
    touching = (above > 0) & (below > 0)
    upper, lower = above[touching], below[touching]
    least = np.arange(int(runs.max(initial=0)) + 1)
    while True:
        found = least.copy()
        np.minimum.at(found, upper, least[lower])
        np.minimum.at(found, lower, least[upper])
        found = found[found]
        if np.array_equal(found, least):
            return np.asarray(least[runs], np.int64)
        least = found


def _runs(mask: Mask) -> NDArray[np.int64]:
    """A number for every unbroken run within a row of `mask`, from 1; 0 elsewhere."""
    begins = mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    return np.where(mask, np.cumsum(begins).reshape(mask.shape), 0)


def _filled(mask: Mask, runs: NDArray[np.int64]) -> Mask:
    """All of each run that `mask`, which lies in runs, touches."""
    touched = np.zeros(int(runs.max(initial=0)) + 1, np.bool_)
    touched[runs[mask]] = True
    return touched[runs]


def _with_neighbours(mask: Mask) -> Mask:
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide
