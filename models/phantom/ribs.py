"""The twelve pairs of ribs, as curved tubes of elliptic section on the thorax's surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.bone_paths import BonePaths
from models.phantom.geometry import Floats, Grid
from models.phantom.thorax import half_depth, mid_depth


@dataclass(frozen=True)
class Rib:
    """One rib's place, in mm: heights of its head and of its front end, lateral reach, and the x at which its bone ends."""

    head: float
    front: float
    reach: float
    end_x: float
    end_degrees: float
    height: float = 6.6
    thickness: float = 3.7


RIBS: tuple[Rib, ...] = (
    Rib(55, 104, 63, 30, 152, 7.2, 3.2),
    Rib(69, 136, 100, 44, 151, 6.2, 3.4),
    Rib(88, 172, 122, 57, 150, 6.4),
    Rib(109, 208, 135, 68, 147),
    Rib(130, 243, 143, 82, 143),
    Rib(152, 276, 148, 98, 138),
    Rib(174, 306, 152, 114, 130, 6.8, 3.8),
    Rib(197, 332, 155, 129, 122, 6.8, 3.8),
    Rib(221, 353, 156, 140, 114, 6.6, 3.8),
    Rib(246, 366, 155, 146, 106, 6.4),
    Rib(272, 366, 147, 146, 94, 5.6, 3.4),
    Rib(298, 348, 120, 96, 56, 4.8, 3.0),
)


HEAD_DEGREES = 4.5
"""Where a rib begins, counted from straight back around the thorax."""


def rib_line(rib: Rib, side: int, count: int = 400) -> Floats:
    """(count, 3) mm: the rib's centre line from its head at the spine to its front end; `side` is the sign of x."""
    degrees = np.linspace(HEAD_DEGREES, rib.end_degrees, count)
    angle = np.radians(degrees)
    part = (degrees - HEAD_DEGREES) / (150.0 - HEAD_DEGREES)
    full = (rib.end_degrees - HEAD_DEGREES) / (150.0 - HEAD_DEGREES)
    # Nearly level at the back, steep along the flank, easing off in front.
    flank = np.clip((part - 0.14) / 0.66, 0.0, 1.0)
    fall = 0.58 * part**1.35 + 0.42 * flank**2 * (3.0 - 2.0 * flank)
    fall -= 0.06 * np.sin(np.pi * np.clip(part / 0.36, 0.0, 1.0)) * min(1.0, full)
    y = rib.head + (rib.front - rib.head) * fall / fall[-1]
    # A superellipse: flatter back and flanks than an ellipse, as a chest in cross-section is.
    sine = np.abs(np.sin(angle)) ** 0.88
    straight = np.interp(degrees, [90.0, rib.end_degrees], [0.0, 1.0]) if rib.end_degrees > 90 else np.zeros(count)
    end = rib.reach * np.sin(np.radians(rib.end_degrees)) ** 0.88
    x = rib.reach * sine + (rib.end_x - end) * straight**2
    level = np.full(count, rib.head + 0.45 * (rib.front - rib.head), np.float32)
    z = mid_depth(level) + (half_depth(level) + 5.0) * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.9
    return np.stack([side * x, y, z], axis=1).astype(np.float32)


def add_ribs(bones: BonePaths, grid: Grid, rng: np.random.Generator) -> None:
    """Adds every rib; no two are quite alike (heights and calibres vary by a few per cent)."""
    for rib in RIBS:
        for side in (-1, 1):
            line = rib_line(rib, side)
            part = np.linspace(0.0, 1.0, len(line))
            line[:, 1] += rng.normal(0.0, 0.7) + rng.normal(0.0, 0.8) * np.sin(2.4 * part + rng.uniform(0, 3)) * part
            calibre = 1.0 + rng.normal(0.0, 0.025) + 0.03 * np.sin(9.0 * part + rng.uniform(0, 6))
            # Neck thinner than the shaft, a tubercle where the transverse process meets it, a broader front end.
            neck = 0.80 + 0.20 * np.clip(part / 0.12, 0, 1) + 0.10 * np.exp(-(((part - 0.10) / 0.025) ** 2))
            flare = 1.0 + 0.16 * np.clip((part - 0.72) / 0.28, 0, 1)
            outward = np.stack([line[:, 0], np.zeros(len(line)), line[:, 2] - mid_depth(line[:, 1])], axis=1)
            bones.add_tube(
                grid,
                line,
                thickness=rib.thickness * calibre * neck,
                height=rib.height * calibre * neck * flare,
                cortex=0.95 - 0.35 * part,
                outward=outward.astype(np.float32),
                density=np.clip((1.0 - part) / 0.05, 0.0, 1.0) * (1.0 - 0.22 * part),
            )
