"""Views of one CT: frontal, lateral, steep oblique, from above, and slices of it. The only human laterals at hand.

Parallel beams through 3 mm voxels: for the 32 × 32 cells of the check, cone beams and finer voxels change little.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.image_check.real import Picture, Sample

VOXEL_MM = 3.0
OBLIQUE_DEGREES = (55.0, 75.0)
LARGEST_TURN_DEGREES = 10.0


def ct_views(ct: Path, *, each: int, seed: int) -> list[Sample]:
    """`each` poses of every view; tone is left to the augmentation."""
    volume = _attenuation(ct)
    rng = np.random.default_rng(seed)
    made = []
    for index in range(each):
        tilt, turn = rng.uniform(-1, 1, 2) * LARGEST_TURN_DEGREES
        side = 90.0 if index % 2 else -90.0
        oblique = rng.uniform(*OBLIQUE_DEGREES) * rng.choice([-1.0, 1.0])
        about = {"ct frontal": turn + 180.0 * (index % 2), "ct lateral": side + turn, "ct oblique": oblique}
        for family, degrees in about.items():
            whole = _projected(volume, degrees, tilt, rng.uniform(0.88, 1.14, 3))
            made.append(Sample(family, family, _collimated(whole, rng)))
        made.append(Sample("ct from above", "ct from above", _projected(volume, turn, 90.0 + tilt, np.ones(3))))
        level = int(rng.integers(10, volume.shape[0] - 10))
        made.append(Sample("ct slice", "ct slice", volume[level].numpy()))
    return made


def _attenuation(ct: Path) -> Tensor:
    """(Z, Y, X) attenuation relative to water in cubes of VOXEL_MM, head last."""
    with np.load(ct) as arrays:
        relative = torch.from_numpy(arrays["hu_over_6"].astype(np.float32)).mul(6e-3).clamp_min_(0)
        spacing = [float(mm) for mm in arrays["spacing_mm"]]
    size = [round(n * mm / VOXEL_MM) for n, mm in zip(relative.shape, spacing, strict=True)]
    return F.interpolate(relative[None, None], size, mode="area")[0, 0]


def _projected(volume: Tensor, about_up: float, tilt: float, stretch: np.ndarray) -> Picture:
    """The volume turned about the body's axis, then tilted about the axis across it, summed from front to back."""
    up, across = np.deg2rad(about_up), np.deg2rad(tilt)
    turn_up = np.array([[np.cos(up), -np.sin(up), 0], [np.sin(up), np.cos(up), 0], [0, 0, 1]])
    turn_across = np.array([[1, 0, 0], [0, np.cos(across), -np.sin(across)], [0, np.sin(across), np.cos(across)]])
    halves = np.array(volume.shape[::-1]) / 2  # x, y, z
    reach = float(np.hypot(halves[0], halves[1]))
    cube = np.array([reach, reach, max(halves[2], reach if abs(tilt) > 45 else 0)])
    matrix = np.diag(1 / halves) @ (turn_up @ turn_across) @ np.diag(cube / stretch)
    theta = torch.from_numpy(np.hstack([matrix, np.zeros((3, 1))]).astype(np.float32))[None]
    size = [round(2 * n) for n in cube[::-1]]
    grid = F.affine_grid(theta, [1, 1, *size], align_corners=False)
    turned = F.grid_sample(volume[None, None], grid, align_corners=False)[0, 0]
    return np.ascontiguousarray(turned.sum(1).flip(0).numpy(), np.float32)


def _collimated(whole: Picture, rng: np.random.Generator) -> Picture:
    """The part that shows the body, with a little air beside it or a little cut off."""
    body = np.flatnonzero((whole > 0.05 * whole.max()).mean(axis=0) > 0.2)
    margin = int((body[-1] - body[0]) * rng.uniform(-0.04, 0.12))
    left, right = max(0, body[0] - margin), min(whole.shape[1], body[-1] + 1 + margin)
    rows = whole.shape[0]
    top, bottom = int(rows * rng.uniform(0, 0.08)), int(rows * rng.uniform(0, 0.1))
    return np.ascontiguousarray(whole[top : rows - bottom, left:right])
