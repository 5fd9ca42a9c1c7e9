"""Vertebral column from the lower neck to the loins, and the sternum before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.bone_paths import BonePaths
from models.phantom.geometry import Grid, spline


@dataclass(frozen=True)
class Vertebra:
    """Height of the body's centre, half its height, half its width, and the reach of a transverse process, mm."""

    y: float
    half_height: float
    half_width: float
    process: float


SPINE: tuple[Vertebra, ...] = (
    Vertebra(-1, 6.4, 12.5, 11),
    Vertebra(15, 6.4, 13.0, 11),
    Vertebra(31, 6.5, 13.5, 13),
    Vertebra(47.5, 6.8, 14.5, 18),
    Vertebra(64.5, 7.2, 15.5, 23),
    Vertebra(81.5, 7.5, 14.5, 21),
    Vertebra(99.5, 7.9, 13.8, 19),
    Vertebra(118.5, 8.3, 13.6, 18),
    Vertebra(139, 8.8, 13.8, 17),
    Vertebra(160.5, 9.1, 14.2, 17),
    Vertebra(183, 9.5, 14.8, 16),
    Vertebra(206.5, 9.8, 15.4, 15),
    Vertebra(231, 10.2, 16.2, 14),
    Vertebra(256.5, 10.7, 17.2, 12),
    Vertebra(283, 11.1, 18.4, 9),
    Vertebra(310.5, 11.7, 19.6, 7),
    Vertebra(340, 12.4, 20.4, 15),
    Vertebra(371, 12.8, 21.2, 18),
    Vertebra(403, 13.0, 22.0, 20),
)


def add_spine(bones: BonePaths, grid: Grid, rng: np.random.Generator) -> None:
    """Adds every vertebra, gently scoliotic as most are, and the sternum."""
    for vertebra in SPINE:
        drift = 1.6 * np.sin(vertebra.y / 95.0) + rng.normal(0.0, 0.25)
        _add_vertebra(bones, grid, vertebra, float(drift), float(rng.normal(0.0, 0.012)))
    bones.add_solid(grid, (0.5, 103.0), (25.0, 21.0, 5.0), 0.8, 3.0, density=0.55)
    bones.add_solid(grid, (0.5, 176.0), (15.5, 50.0, 4.5), 0.8, 4.0, density=0.5)


def _add_vertebra(bones: BonePaths, grid: Grid, v: Vertebra, x: float, tilt: float) -> None:
    w, h = v.half_width, v.half_height
    bones.add_solid(grid, (x, v.y), (w, 1.15 * h, 8.5), 0.26, 3.0, tilt, 0.80)
    # Endplates flare beyond the waist and are seen edge-on.
    for edge in (-1, 1):
        bones.add_solid(grid, (x, v.y + edge * (h - 0.4)), (w * 1.07, 2.4, 8.0), 0.35, 2.6, tilt, 0.40)
    spinous = (x + 0.3, v.y + 1.25 * h)
    bones.add_solid(grid, spinous, (2.3, 0.66 * h, 8.0), 0.5, 2.2, tilt, 0.42)
    for side in (-1, 1):
        bones.add_solid(grid, (x + side * 0.74 * w, v.y - 0.22 * h), (0.21 * w, 0.50 * h, 6.0), 0.7, 2.2, 0.0, 0.45)
        lamina = spline(
            [(side * 0.66 * w, v.y - 0.1 * h, 80), (side * 0.3 * w, v.y + 0.55 * h, 90), (0, v.y + h, 96)], 60
        )
        lamina[:, 0] += x
        bones.add_tube(grid, lamina, 2.4, 0.36 * h, 0.5, density=0.45)
        # Articular pillars bridge the discs; in the neck they stand clear of the bodies as lateral masses.
        aside, across = (w + 1.0, 5.2) if v.y < 50 else (0.62 * w, 4.4)
        bones.add_solid(grid, (x + side * aside, v.y + 0.9 * h), (across, 1.25 * h, 6.0), 0.30, 2.6, 0.0, 0.42)
        tip = w + v.process
        process = spline(
            [
                (side * 0.75 * w, v.y, 84),
                (side * (w + 0.5 * v.process), v.y - 0.25 * h, 90),
                (side * tip, v.y - 0.4 * h, 94),
            ],
            60,
        )
        process[:, 0] += x
        club = 0.30 * h * (1.0 + 0.45 * np.linspace(0, 1, 60) ** 2)
        bones.add_tube(
            grid, process, club, club, 0.8, density=0.75 * np.clip((1.0 - np.linspace(0, 1, 60)) / 0.06, 0, 1)
        )
