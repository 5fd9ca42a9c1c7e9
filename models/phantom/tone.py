"""From attenuation to display grey: what a digital system's processing does between detector and screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.filters import blur
from models.phantom.geometry import Floats

DETAIL_MM = 5.0
"""Structures below this scale (standard deviation) are enhanced."""
BASE_MM = 28.0
"""Differences in thickness above this scale are compressed."""


@dataclass(frozen=True)
class Tone:
    """A sigmoid of log exposure after enhancement of detail and compression of thickness: one rising curve per pixel.

    `near` and `far` (H, W) are the soft tissue's attenuation, blurred. They hold no bone, so the curve at a pixel is the same with and
    without bone and their difference is the bone's own.
    """

    near: Floats
    far: Floats
    compression: float = 0.20
    detail_gain: float = 2.1
    detail_limit: float = 0.30
    """Attenuation differences beyond about this are not enhanced further: it keeps halos off strong edges."""
    middle: float = 1.55
    width: float = 0.95

    @classmethod
    def of(cls, soft: Floats, spacing: float) -> Tone:
        """The curve for a patient whose soft-tissue attenuation is `soft` (H, W), natural log units."""
        return cls(blur(soft, DETAIL_MM / spacing), blur(soft, BASE_MM / spacing))

    def grey(self, attenuation: Floats) -> Floats:
        """(H, W) attenuation -> display value, [0, 1], rising with attenuation at every pixel."""
        detail = attenuation - self.near
        enhanced = attenuation - self.compression * self.far
        enhanced += (self.detail_gain - 1.0) * self.detail_limit * np.tanh(detail / self.detail_limit)
        floor = 1.0 / (1.0 + np.exp(self.middle / self.width))
        value = 1.0 / (1.0 + np.exp((self.middle - enhanced) / self.width))
        return np.asarray(np.clip((value - floor) / (1.0 - floor), 0.0, 1.0), np.float32)
