"""Pairs of the digital phantom: two exposures of one patient, toned and noised apart as a detector would."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.phantom import Phantom, render

Image = NDArray[np.float32]


@lru_cache(maxsize=8)
def patient(side: int = 256, seed: int = 7) -> Phantom:
    return render(side, seed)


def exposures(side: int = 256, seed: int = 7) -> tuple[Image, Image]:
    """(radiograph, soft-tissue image), (side, side) float32, [0, 1], bone bright."""
    made = patient(side, seed)
    noise = np.random.default_rng(seed).normal(0, 0.004, (side, side))
    return made.radiograph, np.clip(0.75 * made.soft_tissue + 0.08 + noise, 0, 1).astype(np.float32)
