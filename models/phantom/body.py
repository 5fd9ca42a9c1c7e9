"""The body's outline and thickness without any lung: trunk, shoulders, arms and neck, and the gas in airways and
bowel."""

from __future__ import annotations

import numpy as np

from models.phantom.filters import blur, texture
from models.phantom.geometry import Floats, Grid, spline, through
from models.phantom.projection import add_round_tubes, add_solid

_half_width = through([(20, 250), (120, 246), (150, 222), (185, 190), (215, 183), (300, 177), (360, 169), (404, 166)])
_half_depth = through([(30, 50), (70, 66), (110, 84), (150, 98), (200, 112), (260, 120), (330, 119), (404, 116)])
_shoulder_line = through([(0, 6), (40, 9), (58, 16), (75, 26), (105, 34), (150, 43), (180, 48), (204, 60), (230, 100)])


def body_path(grid: Grid, rng: np.random.Generator) -> Floats:
    """(H, W) float32, mm: thickness of the body along the beam as if it held no air."""
    x, y = grid.x, grid.y
    lateral = np.maximum(0.0, 1.0 - np.abs(x / _half_width(y)) ** 2.5) ** 0.5
    fold = 128.0
    roundness = ((fold - y) / (fold - _shoulder_line(np.abs(x)))).clip(0.0, 1.0)
    trunk = 2.0 * _half_depth(y) * lateral * np.sqrt(1.0 - roundness**2.6)
    neck_edge = through([(0, 56), (20, 57), (45, 66), (80, 90), (140, 120)])(y)
    fading = through([(0, 1), (40, 0.95), (110, 0)])(y)
    neck = 2.0 * 57.0 * fading * np.sqrt(np.maximum(0.0, 1.0 - (x / neck_edge) ** 2))
    arms = _arm_path(grid)
    together = (trunk**5 + neck**5 + arms**5) ** 0.2 + 0.10 * np.minimum(arms, trunk)
    together += _muscle_path(grid) * (trunk > 0)
    return np.asarray(together * (1.0 + 0.012 * texture(rng, grid.size, grid.spacing, 22.0)), np.float32)


def _arm_path(grid: Grid) -> Floats:
    axis_x = through([(60, 178), (95, 182), (180, 204), (300, 246), (404, 280)])(grid.y)
    radius = through([(40, 20), (80, 42), (150, 44), (300, 37)])(grid.y)
    top = np.clip((grid.y - _shoulder_line(np.abs(grid.x))) / 45.0, 0.0, 1.0)
    cap = np.sqrt(1.0 - (1.0 - top) ** 2)
    chord = np.sqrt(np.maximum(0.0, 1.0 - ((np.abs(grid.x) - axis_x) / radius) ** 2))
    return np.asarray(2.0 * 44.0 * cap * chord, np.float32)


def _muscle_path(grid: Grid) -> Floats:
    """Pectoral muscles and breasts (thin, low) and the folds of the armpit: what makes the lateral chest wall
    uneven."""
    path = np.zeros((grid.size, grid.size), np.float32)
    for side in (-1, 1):
        add_solid(path, grid, (side * 100.0, 146.0), (76.0, 46.0, 5.0), 2.4, side * -0.55)
        add_solid(path, grid, (side * 90.0, 250.0), (60.0, 48.0, 4.0), 2.0, side * 0.15)
        add_solid(path, grid, (side * 176.0, 168.0), (20.0, 74.0, 9.0), 2.2, side * 0.22)
    return blur(path, 5.0 / grid.spacing)


def airway_path(grid: Grid) -> Floats:
    """(H, W) float32, mm: air in larynx, trachea and the main and lobar bronchi."""
    path = np.zeros((grid.size, grid.size), np.float32)
    trees: tuple[list[tuple[float, ...]], ...] = (
        [(0, -20, 0, 7), (0, 14, 0, 6.2), (0, 30, 0, 8.2), (1, 90, 0, 8.8), (-2, 130, 0, 8.8), (-1, 160, 0, 9.2)],
        [(-1, 158, 0, 7.6), (-12, 172, 0, 7.2), (-25, 184, 0, 6.4), (-36, 204, 0, 5.0), (-42, 226, 0, 3.6)],
        [(-23, 183, 0, 4.6), (-36, 178, 0, 4.0), (-46, 170, 0, 3.0)],
        [(-1, 158, 0, 7.0), (14, 173, 0, 6.2), (30, 184, 0, 5.6), (41, 198, 0, 4.6), (48, 224, 0, 3.4)],
        [(33, 186, 0, 4.2), (45, 181, 0, 3.4), (53, 172, 0, 2.6)],
    )
    for tree in trees:
        line = spline(tree, 60)
        ends = np.stack([line[:-1, :3], line[1:, :3]], axis=1)
        add_round_tubes(path, grid, ends, 0.5 * (line[1:, 3] + line[:-1, 3]))
    return path


def bowel_gas_path(grid: Grid, rng: np.random.Generator) -> Floats:
    """(H, W) float32, mm: the stomach bubble with its fluid level under the left dome, and gas in the colon."""
    bubble = np.zeros((grid.size, grid.size), np.float32)
    add_solid(bubble, grid, (73.0, 330.0), (30.0, 17.0, 13.0), 2.2, 0.06)
    bubble *= np.clip((337.0 - grid.y + 0.8 * np.sin(grid.x / 6.0)) / 1.2, 0.0, 1.0)
    colon = np.zeros_like(bubble)
    for x, y, width in ((116, 351, 13), (128, 366, 9), (121, 384, 11), (-92, 396, 12), (70, 398, 10)):
        add_solid(colon, grid, (x, y), (width, 0.72 * width, 0.55 * width), 2.3, float(rng.uniform(-0.6, 0.6)))
    return np.asarray(bubble + 0.7 * blur(colon, 0.8 / grid.spacing), np.float32)
