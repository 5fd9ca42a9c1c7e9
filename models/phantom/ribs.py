"""The twelve pairs of ribs, as curved tubes of elliptic section on the thorax's surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.bone_paths import BonePaths
from models.phantom.geometry import Floats, Grid
from models.phantom.thorax import half_depth, mid_depth


@dataclass(frozen=True)
class Rib:
    """One rib's place, in mm: heights of its head and of its front end, lateral reach, and the x at which its bone
    ends."""

    head: float
    front: float
    reach: float
    end_x: float
    end_degrees: float
    height: float = 5.8
    thickness: float = 3.2


RIBS: tuple[Rib, ...] = (
    Rib(55, 104, 61, 30, 152, 6.6, 2.8),
    Rib(69, 136, 99, 44, 151, 5.6, 2.9),
    Rib(88, 173, 121, 57, 150, 5.7),
    Rib(109, 210, 134, 68, 147),
    Rib(130, 246, 142, 82, 143),
    Rib(152, 280, 147, 98, 138),
    Rib(174, 309, 151, 114, 130, 6.0),
    Rib(197, 334, 154, 129, 122, 6.0),
    Rib(221, 354, 155, 140, 114, 5.9),
    Rib(246, 366, 154, 146, 106, 5.6),
    Rib(272, 366, 146, 145, 94, 5.0, 3.0),
    Rib(298, 348, 120, 96, 56, 4.3, 2.7),
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
    flank = np.clip((part - 0.24) / 0.58, 0.0, 1.0)
    fall = 0.60 * part**1.5 + 0.40 * flank**2 * (3.0 - 2.0 * flank)
    fall -= 0.075 * np.sin(np.pi * np.clip(part / 0.36, 0.0, 1.0)) * min(1.0, full)
    y = rib.head + (rib.front - rib.head) * fall / fall[-1]
    # A superellipse: flatter back and flanks than an ellipse, as a chest in cross-section is.
    sine = np.abs(np.sin(angle)) ** 0.78
    straight = np.interp(degrees, [90.0, rib.end_degrees], [0.0, 1.0]) if rib.end_degrees > 90 else np.zeros(count)
    end = rib.reach * np.sin(np.radians(rib.end_degrees)) ** 0.78
    x = rib.reach * sine + (rib.end_x - end) * straight**2
    level = np.full(count, rib.head + 0.45 * (rib.front - rib.head), np.float32)
    z = mid_depth(level) + (half_depth(level) + 5.0) * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.85
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
            flare = 1.0 + 0.22 * np.clip((part - 0.68) / 0.32, 0, 1)
            outward = np.stack([line[:, 0], np.zeros(len(line)), line[:, 2] - mid_depth(line[:, 1])], axis=1)
            bones.add_tube(
                grid,
                line,
                thickness=rib.thickness * calibre * neck,
                height=rib.height * calibre * neck * flare,
                cortex=0.95 - 0.45 * part,
                outward=outward.astype(np.float32),
                density=np.clip((1.0 - part) / 0.05, 0.0, 1.0) * (1.0 - 0.38 * part),
            )
