"""Nodule contrast kept: what a method leaves of a nodule, whatever else it changes in the image.

A nodule is in the truth and in the radiograph or in neither; everything else is the same in both. What the method makes
of the one image minus what it makes of the other is therefore the nodule alone, seen through the method.
"""

from __future__ import annotations

import numpy as np

from models.metrics.tone import Image, Mask


def contrast_kept(
    shown_with: Image, shown_without: Image, true_with: Image, true_without: Image, inside: Mask
) -> float:
    """Least-squares share of the nodule's true contrast in the result: 1 right, 0 taken for bone, > 1 too much.

    `shown_*`: what the method made of the radiograph with and without the nodule; `true_*`: the soft tissue with and
    without; `inside` (H, W): the nodule's pixels. sum d t / sum t^2, with d and t the differences of the two. Not a
    number where the nodule has no contrast of its own.
    """
    shown = (np.asarray(shown_with, np.float64) - shown_without)[inside]
    true = (np.asarray(true_with, np.float64) - true_without)[inside]
    energy = float(np.sum(true**2))
    return float(np.sum(shown * true)) / energy if energy > 0 else float("nan")


def disc(shape: tuple[int, ...], row: float, column: float, radius: float) -> Mask:
    """The pixels of an image of `shape` that lie within `radius` of a centre, all in px."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(rows - row, columns - column) <= radius, np.bool_)
