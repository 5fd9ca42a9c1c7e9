"""Where a radiograph shows the patient and where only air, collimation or the film's margin, by statistics alone.

Outside is what hangs together with the image's border and is very dark, or dark and without any grain (collimation
that was filled with a grey). It is meant to be sure, not complete: skin, arms and grey haze count as the patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.metrics.tone import Image, Mask
from models.regions import air_or_collimation, edge, reached

REDUCED_SIDE = 256
VERY_DARK, DARK = 0.12, 0.35
"""Of the way from the image's 0.5th to its 99.5th percentile."""
GRAINLESS = 0.004
"""Standard deviation over 5 x 5 reduced pixels, of the same range."""
MARGIN = 3
"""Reduced pixels between the patient and what is called outside: just over one percent of the longer side."""


@dataclass(frozen=True)
class BodyMasks:
    """(H, W) bool each; between the two lies a margin that is in neither."""

    body: Mask
    outside: Mask


def body_masks(display: Image) -> BodyMasks:
    """Patient and outside of `display`, (H, W), at its own size."""
    plane = _reduced(display)
    dark = air_or_collimation(plane, very_dark=VERY_DARK, dark=DARK, grainless=GRAINLESS)
    outside = reached(edge(plane), dark)
    surely = -F.max_pool2d(-F.pad(outside, (MARGIN,) * 4, mode="replicate"), 2 * MARGIN + 1, 1)
    return BodyMasks(~_enlarged(outside, display.shape), _enlarged(surely, display.shape))


def _reduced(display: Image) -> Tensor:
    """(1, 1, h, w), longer side REDUCED_SIDE at most, 0 and 1 at the image's own 0.5th and 99.5th percentile."""
    low, high = np.quantile(display, [0.005, 0.995])
    plane = torch.from_numpy(np.ascontiguousarray(display, np.float32))[None, None]
    scale = min(1.0, REDUCED_SIDE / max(display.shape))
    size = [max(1, round(side * scale)) for side in display.shape]
    plane = F.interpolate(plane, size=size, mode="bilinear", antialias=True)
    return (plane - float(low)) / max(float(high - low), 1e-6)


def _enlarged(mask: Tensor, shape: tuple[int, ...]) -> Mask:
    return np.asarray(F.interpolate(mask, size=shape, mode="nearest")[0, 0].numpy() > 0.5, np.bool_)
