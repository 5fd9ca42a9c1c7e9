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


DETAIL_GAIN = 2.1
DETAIL_LIMIT = 0.20
"""Attenuation differences beyond about this are not enhanced further: it keeps halos off strong edges."""
COMPRESSION = 0.20
BONE_GAIN = 1.9
"""Bone is fine structure throughout and is enhanced as such."""
MIDDLE, WIDTH = 1.52, 0.84


@dataclass(frozen=True)
class Tone:
    """A sigmoid of log exposure after enhancement of detail and compression of thickness: one rising curve per pixel.

    `level` (H, W) is the enhanced, compressed attenuation of the soft tissue alone. What the enhancement does to a
    pixel is decided without bone, so that the difference with and without bone is the bone's own.
    """

    level: Floats

    @classmethod
    def of(cls, soft: Floats, spacing: float) -> Tone:
        """The curves for a patient whose soft-tissue attenuation is `soft` (H, W), natural log units."""
        detail = (soft - blur(soft, DETAIL_MM / spacing)) / DETAIL_LIMIT
        level = soft - COMPRESSION * blur(soft, BASE_MM / spacing)
        return cls(level + (DETAIL_GAIN - 1.0) * DETAIL_LIMIT * np.tanh(detail))

    def grey(self, beyond: Floats) -> Floats:
        """(H, W) attenuation beyond the soft tissue's -> display value, [0, 1], rising with it at every pixel."""
        floor = 1.0 / (1.0 + np.exp(MIDDLE / WIDTH))
        value = 1.0 / (1.0 + np.exp((MIDDLE - self.level - BONE_GAIN * beyond) / WIDTH))
        return np.asarray(np.clip((value - floor) / (1.0 - floor), 0.0, 1.0), np.float32)
