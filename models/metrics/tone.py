"""Tone fit: the affine change of grey values that a scanner's processing is free to make, taken out first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating]
"""(H, W), display units [0, 1], bone bright, row 0 at the top."""
Mask = NDArray[np.bool_]


def fit(image: Image, truth: Image, inside: Mask | None = None) -> NDArray[np.float64]:
    """`image` after the affine change of tone that brings it closest to `truth` in the least-squares sense.

    `inside` (H, W): where closeness counts (`None`: everywhere); the change is applied everywhere. A constant image
    becomes the truth's mean. Raises ValueError for two sizes, or where nothing is inside.
    """
    x, y = np.asarray(image, np.float64), np.asarray(truth, np.float64)
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"expected two (H, W) images of one size, found {x.shape} and {y.shape}")
    seen, wanted = (x, y) if inside is None else (x[inside], y[inside])
    if seen.size == 0:
        raise ValueError("expected at least one pixel to fit the tone by, found none")
    middle = seen.mean()
    spread = float(np.mean((seen - middle) ** 2))
    gain = float(np.mean((seen - middle) * (wanted - wanted.mean()))) / spread if spread > 0 else 0.0
    fitted: NDArray[np.float64] = gain * (x - middle) + wanted.mean()
    return fitted
