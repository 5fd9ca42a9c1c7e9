"""Clavicles, scapulae and the upper ends of the humeri."""

from __future__ import annotations

import numpy as np

from models.phantom.bone_paths import BonePaths
from models.phantom.filters import texture
from models.phantom.geometry import Grid, mirrored, spline, through


def add_shoulder_girdle(bones: BonePaths, grid: Grid, rng: np.random.Generator) -> None:
    """Adds both sides; the patient stands a little askew, so the sides differ by a few mm."""
    for side in (-1, 1):
        lift = float(rng.normal(0.0, 1.2))
        _add_clavicle(bones, grid, side, lift)
        _add_scapula(bones, grid, side, lift, rng)
        _add_humerus(bones, grid, side, lift)


def _add_clavicle(bones: BonePaths, grid: Grid, side: int, lift: float) -> None:
    line = spline(
        # x, y, z, half height, half thickness
        [(19, 92, -72, 9.5, 8), (27, 89.5, -74, 8.6, 7), (48, 83, -72, 6.3, 5.5), (76, 73.5, -58, 5.5, 5.2),
         (105, 64.5, -38, 5.4, 5), (132, 58, -20, 5.8, 4.2), (154, 56.5, -12, 6.6, 3.6), (168, 59, -10, 6.0, 3.4)],
        320,
    )  # fmt: skip
    line[:, 1] += lift * np.linspace(0.2, 1.0, len(line))
    part = np.linspace(0.0, 1.0, len(line))
    ends = np.clip(part / 0.012, 0.3, 1.0) * np.clip((1.0 - part) / 0.02, 0.0, 1.0)
    cortex = 0.8 + 1.3 * np.exp(-(((part - 0.45) / 0.28) ** 2))
    bones.add_tube(grid, mirrored(line[:, :3], side), line[:, 4], line[:, 3], cortex, density=ends)


def _add_scapula(bones: BonePaths, grid: Grid, side: int, lift: float, rng: np.random.Generator) -> None:
    def ridge(points: list[tuple[float, ...]], cortex: float, density: float = 1.0) -> None:
        """A bony edge: rows of x, y and half width; runs across the beam."""
        line = spline([(x, y + lift, 60.0, r) for x, y, r in points], 200)
        ends = density * np.clip(np.minimum(np.linspace(0, 1, 200), np.linspace(1, 0, 200)) / 0.04, 0.0, 1.0)
        bones.add_tube(grid, mirrored(line[:, :3], side), line[:, 3], line[:, 3], cortex, density=ends)

    ridge([(154, 118, 4.2), (150.5, 134, 4.2), (145.5, 160, 3.6), (139, 190, 2.8), (134, 207, 2.4)], 1.5)
    ridge([(110, 70, 1.2), (111, 92, 1.5), (115, 130, 1.5), (123, 175, 1.7), (134, 208, 2.4)], 0.9, 0.9)
    ridge([(110, 70, 1.1), (122, 72, 1.0), (136, 82, 1.2), (144, 88, 2.0)], 0.7, 0.8)
    # Spine of the scapula, widening into the acromion over the humeral head.
    ridge([(112, 95, 2.4), (128, 88, 3.4), (148, 78, 4.6), (166, 67, 6.4), (180, 66, 8.5), (192, 72, 6.5)], 0.7, 0.75)
    # Coracoid, seen end-on as a ring.
    bones.add_solid(grid, (side * 145.0, 89.0 + lift), (6.6, 8.2, 9.0), 1.5, 2.2, side * 0.5, 0.8)
    # Neck, and the glenoid's rim as a narrow ellipse.
    bones.add_solid(grid, (side * 150.0, 103.0 + lift), (10.0, 15.0, 4.0), 0.5, 2.0, side * -0.15, 0.6)
    bones.add_solid(grid, (side * 157.5, 104.0 + lift), (4.6, 17.0, 7.0), 1.2, 2.0, side * -0.12, 0.7)

    left, right = (106.0, 162.0) if side > 0 else (-162.0, -106.0)
    rows, columns = grid.window(left, right, 66.0 + lift, 212.0 + lift)
    x, y = grid.x[:, columns] * side, grid.y[rows] - lift
    medial = through([(70, 110), (92, 111), (130, 115), (175, 123), (208, 134)])(y)
    lateral = through([(70, 112), (88, 146), (100, 152), (118, 153), (160, 145.5), (190, 139), (208, 134)])(y)
    blade = np.clip((x - medial) / 3.0, 0.0, 1.0) * np.clip((lateral - x) / 3.0, 0.0, 1.0)
    fossa = 1.3 + 0.9 * np.exp(-(((lateral - x) / 12.0) ** 2))
    uneven = 1.0 + 0.12 * texture(rng, grid.size, grid.spacing, 5.0)[rows, columns]
    # So thin that it is compact bone throughout; a third of it, as marrow, keeps its spongy look.
    bones.outer[rows, columns] += (fossa * blade * uneven).astype(np.float32)
    bones.marrow[rows, columns] += (0.35 * fossa * blade * uneven).astype(np.float32)


def _add_humerus(bones: BonePaths, grid: Grid, side: int, lift: float) -> None:
    bones.add_solid(grid, (side * 183.0, 99.0 + lift), (22.5, 23.0, 17.0), 0.8, 2.1, 0.0, 0.55)
    line = spline([(186, 108, 0), (192, 130, 0), (203, 175, 0), (221, 240, 0), (243, 310, 0)], 260)
    line[:, 1] += lift
    part = np.linspace(0.0, 1.0, len(line))
    radius = 19.0 - 8.0 * np.clip(part / 0.28, 0.0, 1.0) ** 0.7
    entering = np.clip(part / 0.10, 0.0, 1.0) * 0.8
    bones.add_tube(grid, mirrored(line, side), radius, radius, 1.0 + 2.8 * np.clip(part / 0.5, 0, 1), density=entering)
