"""The size and the range at which lines are looked for."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

SIDE = 512
"""Longer side at most, pixels: a line of a millimetre is more than one of them wide."""
ENDS = (0.005, 0.995)
"""Quantiles of brightness that count as dark and bright."""
FLAT = 1e-3
"""Range below which there is no picture."""


def scaled(cxr: Tensor) -> Tensor:
    """(1, 1, H, W) → its longer side `SIDE` pixels at most, float32."""
    scale = min(1.0, SIDE / max(cxr.shape[2:]))
    size = [max(1, round(side * scale)) for side in cxr.shape[2:]]
    if size == list(cxr.shape[2:]):
        return cxr.float()
    return F.interpolate(cxr.float(), size=size, mode="bilinear", antialias=True)


def in_range(cxr: Tensor) -> Tensor:
    """(1, 1, H, W) in any unit → 0 at its dark and 1 at its bright end; zeros where it has no contrast."""
    values = cxr.flatten()[::3].numpy()
    low, high = (float(np.partition(values, rank)[rank]) for rank in (int(end * (values.size - 1)) for end in ENDS))
    return (cxr - low) / (high - low) if high - low >= FLAT else cxr * 0
