"""Radiographs projected from a CT, whose bone is known exactly: the training data that pairs are too few for.

Every ray integrates attenuation relative to water, 1 + HU/1000, through a cone beam from a point source; the bone's
share is what the calcified voxels attenuate beyond soft tissue. Poses vary; tone is left to the augmentation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

BONE_HU = 180.0
CORTICAL_HU = 330.0
SOFT_TISSUE = 1.05
SOURCE_TO_ISOCENTRE_MM = 1700.0
STEP_MM = 1.6
PIXEL_MM = 0.76
HEIGHT, WIDTH = 352, 512


@dataclass(frozen=True)
class Attenuation:
    """A CT as two volumes, (2, Z, Y, X) float32: soft tissue and, beyond it, bone; 1 = water. Z feet to head."""

    volumes: Tensor
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Projections:
    """Path integrals in cm of water, (N, H, W) float32 each, row 0 at the head; their sum is the radiograph's."""

    soft: Tensor
    bone: Tensor


def project_ct(
    ct: Path, destination: Path, *, count: int, seed: int, on_progress: Callable[[int, int], None]
) -> Projections:
    """Project the CT in the file `ct` in `count` random poses and keep the result in `destination` (.npz)."""
    attenuation = read_ct(ct)
    generator = torch.Generator().manual_seed(seed)
    poses = []
    for index in range(count):
        poses.append(project(attenuation, generator))
        on_progress(index + 1, count)
    both = torch.stack(poses)
    destination.parent.mkdir(parents=True, exist_ok=True)
    np.savez(destination, soft=both[:, 0].half().numpy(), bone=both[:, 1].half().numpy())
    return Projections(both[:, 0], both[:, 1])


def read_projections(path: Path) -> Projections:
    """What `project_ct` kept."""
    with np.load(path) as arrays:
        return Projections(*(torch.from_numpy(arrays[name].astype(np.float32)) for name in ("soft", "bone")))


def read_ct(path: Path) -> Attenuation:
    """Split a CT (`hu_over_6`: HU = 6 value - 1000) into soft tissue and bone."""
    with np.load(path) as arrays:
        hu = torch.from_numpy(arrays["hu_over_6"].astype(np.float32)) * 6 - 1000
        depth, height, width = (float(mm) for mm in arrays["spacing_mm"])
    bone = _grown(hu > CORTICAL_HU, hu > BONE_HU)
    # The rim of a bone is half soft tissue: one voxel more, or every rib leaves its outline behind.
    near = F.max_pool3d(bone[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0
    relative = (1 + hu / 1000).clamp_min_(0)
    excess = (relative - SOFT_TISSUE).clamp_min_(0) * near
    return Attenuation(torch.stack([relative - excess, excess]), (depth, height, width))


def _grown(seeds: Tensor, allowed: Tensor, rounds: int = 12) -> Tensor:
    """`seeds` grown inside `allowed`: spongy bone joins its cortex, specks of noise and contrast do not."""
    grown = seeds.float()[None, None]
    inside = allowed.float()[None, None]
    # An isolated seed is noise: a bone's cortex fills at least a fifth of its neighbourhood.
    grown = grown * (F.avg_pool3d(grown, 5, stride=1, padding=2) > 0.12)
    for _ in range(rounds):
        grown = F.max_pool3d(grown, 3, stride=1, padding=1) * inside
    return grown[0, 0] > 0


def project(attenuation: Attenuation, generator: torch.Generator) -> Tensor:
    """One cone-beam projection in a random pose: (2, HEIGHT, WIDTH) float32, cm of water, soft tissue and bone."""

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    spread = [draw(0.88, 1.12), draw(0.85, 1.15), draw(0.9, 1.1)]
    turn = _rotation(pitch=draw(-14, 14), roll=draw(-4, 4), yaw=draw(-9, 9))
    shift = torch.tensor([draw(-12, 12), 0.0, draw(-15, 15)])
    facing = -1.0 if draw(0, 1) < 0.25 else 1.0  # the source behind the patient (PA) or before (AP)
    sides = torch.tensor([n * mm for n, mm in zip(attenuation.volumes.shape[1:], attenuation.spacing_mm, strict=True)])
    half = float(sides[1]) * 0.62
    depths = torch.arange(-half, half, STEP_MM) * facing
    up = (torch.arange(HEIGHT).float() - (HEIGHT - 1) / 2) * -PIXEL_MM
    across = (torch.arange(WIDTH).float() - (WIDTH - 1) / 2) * PIXEL_MM
    total = torch.zeros(2, HEIGHT, WIDTH)
    for depth in depths:
        magnified = (SOURCE_TO_ISOCENTRE_MM + float(depth) * -facing) / SOURCE_TO_ISOCENTRE_MM
        rows, columns = torch.meshgrid(up * magnified, across * magnified, indexing="ij")
        points = torch.stack([rows, torch.full_like(rows, float(depth)), columns], -1)
        voxels = ((points - shift) @ turn) / torch.tensor(spread) / (sides / 2)
        grid = voxels.flip(-1)[None, None]
        total += F.grid_sample(attenuation.volumes[None], grid, mode="bilinear", align_corners=False)[0, :, 0]
    return total * STEP_MM / 10


def _rotation(*, pitch: float, roll: float, yaw: float) -> Tensor:
    """Rotation of (up, back, across) points by angles in degrees about across, back and up, in that order."""
    a, b, c = (torch.deg2rad(torch.tensor(angle)) for angle in (pitch, roll, yaw))
    one, nil = torch.ones(()), torch.zeros(())
    about_across = torch.stack([a.cos(), -a.sin(), nil, a.sin(), a.cos(), nil, nil, nil, one]).view(3, 3)
    about_back = torch.stack([b.cos(), nil, -b.sin(), nil, one, nil, b.sin(), nil, b.cos()]).view(3, 3)
    about_up = torch.stack([one, nil, nil, nil, c.cos(), -c.sin(), nil, c.sin(), c.cos()]).view(3, 3)
    return about_across @ about_back @ about_up
