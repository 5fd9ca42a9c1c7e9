"""Nodules planted into projections of a CT, where they are hardest to see: in the lung, under a crossing of ribs.

A nodule is a sphere of soft tissue in the place of lung: it lengthens the path of every ray through it before any tone
curve is applied, so that radiograph and soft tissue show it as the detector would. Places and sizes are deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.gaussian import gaussian_blur
from models.training.projections import PIXEL_MM

DIAMETERS_MM = (8.0, 12.0, 16.0, 20.0)
EXCESS = 0.8
"""What a nodule attenuates beyond the lung whose place it takes, water = 1: 1.05 less 0.25."""
LEAST_BONE_CM = 0.3
"""Over a nodule's centre, cm of water."""
APART_MM = 36.0
"""Between two centres: the next one is no part of the surroundings."""
RIM_MM = 4.0
"""From a nodule's edge to the lung's: where ribs are seen along their length no reader would look for it."""
LUNG_DEPTH_CM = 1.0
"""By how much less than the walls around it a ray meets tissue in the lung."""


@dataclass(frozen=True)
class PlantedNodule:
    """Centre in pixels of the projection's grid, diameter in mm, and the bone over its centre in cm of water."""

    row: float
    column: float
    diameter_mm: float
    bone_cm: float

    @property
    def radius(self) -> float:
        """In pixels of the projection's grid."""
        return self.diameter_mm / 2 / PIXEL_MM


def choose_nodules(soft: Tensor, bone: Tensor, first: int) -> tuple[PlantedNodule, ...]:
    """Up to four nodules of different sizes for one projection, (H, W) path integrals in cm of water.

    The largest goes where most bone lies over a lung that has room for it, the next to the best place left. `first`
    turns the order of sizes, so that over several projections no size has the best places to itself.
    """
    lung = lung_field(soft)
    crossed = gaussian_blur(bone[None, None], 2.5)[0, 0]
    rows, columns = torch.meshgrid(torch.arange(soft.shape[0]), torch.arange(soft.shape[1]), indexing="ij")
    free = torch.ones_like(lung)
    chosen = []
    for index in range(len(DIAMETERS_MM)):
        diameter = DIAMETERS_MM[(first + index) % len(DIAMETERS_MM)]
        candidates = crossed * (_shrunk(lung, (diameter / 2 + RIM_MM) / PIXEL_MM) & free & (bone > LEAST_BONE_CM))
        if float(candidates.max()) <= 0:
            continue
        place = int(candidates.argmax())
        row, column = divmod(place, soft.shape[1])
        chosen.append(PlantedNodule(row, column, diameter, float(bone[row, column])))
        free &= torch.hypot((rows - row).float(), (columns - column).float()) * PIXEL_MM > APART_MM
    return tuple(chosen)


def nodule_path(nodules: tuple[PlantedNodule, ...], shape: tuple[int, int]) -> Tensor:
    """(H, W) cm of water that the nodules add: the chord of a sphere times its excess over lung."""
    rows, columns = torch.meshgrid(torch.arange(shape[0]).float(), torch.arange(shape[1]).float(), indexing="ij")
    path = torch.zeros(shape)
    for nodule in nodules:
        squared = (rows - nodule.row) ** 2 + (columns - nodule.column) ** 2
        chord_px = 2 * (nodule.radius**2 - squared).clamp_min(0).sqrt()
        path += EXCESS * chord_px * PIXEL_MM / 10
    return path


def lung_field(soft: Tensor) -> Tensor:
    """Where rays meet less tissue than all around, (H, W) bool: flooded from the border, lungs are lakes.

    The level of the flood at a pixel is the lowest ridge to be crossed on any way to the border (morphological
    reconstruction by erosion); a lung lies well below it, the air beside the patient does not.
    """
    ground = gaussian_blur(soft[None, None], 2.0)
    level = torch.full_like(ground, float(ground.max()))
    for edge in _edges(level):
        edge.copy_(ground.min())
    level = torch.maximum(level, ground)
    while True:
        lower = torch.maximum(-F.max_pool2d(-level, 3, 1, 1), ground)
        if torch.equal(lower, level):
            break
        level = lower
    return (level - ground)[0, 0] > LUNG_DEPTH_CM


def _edges(plane: Tensor) -> tuple[Tensor, ...]:
    return plane[..., :1, :], plane[..., -1:, :], plane[..., :, :1], plane[..., :, -1:]


def _shrunk(mask: Tensor, pixels: float) -> Tensor:
    """`mask` without what lies nearer than `pixels` to its edge."""
    reach = round(pixels)
    outside = F.pad((~mask).float()[None, None], (reach,) * 4, value=1.0)
    offset = torch.arange(-reach, reach + 1).float()
    ball = (torch.hypot(offset[:, None], offset[None]) <= reach).float()
    return F.conv2d(outside, ball[None, None])[0, 0] < 0.5
