"""A small movement between two exposures, and an image carried along by it.

A similarity is written so that it is linear in its four parameters (p, q, u, v): a point (x, y) of the result, measured
from the centre, is found in the source at ((1 + p)·x − q·y + u, q·x + (1 + p)·y + v).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Motion:
    """Where the result's points lie in the source: p and q without unit, u and v in pixels of the image."""

    p: float = 0.0
    q: float = 0.0
    u: float = 0.0
    v: float = 0.0

    @property
    def scale(self) -> float:
        """How much larger the content becomes."""
        return 1 / math.hypot(1 + self.p, self.q)

    @property
    def rotation(self) -> float:
        """By how much the content turns about the centre, degrees, positive clockwise as seen."""
        return -math.degrees(math.atan2(self.q, 1 + self.p))

    @property
    def shift(self) -> tuple[float, float]:
        """How far the content at the source's (u, v) moves to reach the centre's place: (right, down), pixels."""
        # The centre's content ends where the mapping gives (0, 0): −A⁻¹·(u, v).
        a, b = 1 + self.p, self.q
        determinant = a * a + b * b
        return -(a * self.u + b * self.v) / determinant, -(a * self.v - b * self.u) / determinant

    def at_scale(self, factor: float) -> Motion:
        """The same movement of an image `factor` times as large."""
        return Motion(self.p, self.q, self.u * factor, self.v * factor)

    def largest_displacement(self, height: int, width: int) -> float:
        """Of any pixel, pixels: an affine map is farthest from the identity in a corner."""
        corners = [(x, y) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)]
        return max(math.hypot(self.p * x - self.q * y + self.u, self.q * x + self.p * y + self.v) for x, y in corners)


def motion_of(shift_x: float, shift_y: float, rotation: float = 0.0, scale: float = 1.0) -> Motion:
    """The motion that turns (degrees, clockwise) and scales the content about the centre, then moves it (pixels)."""
    angle = math.radians(-rotation)
    a, b = math.cos(angle) / scale, math.sin(angle) / scale
    return Motion(a - 1, b, -(a * shift_x - b * shift_y), -(b * shift_x + a * shift_y))


def carry(image: NDArray[np.float32], motion: Motion) -> NDArray[np.float32]:
    """(H, W) float32 carried along, bicubic and held within the source's range; what enters repeats the edge."""
    # In float64, because float32 positions would be off by a thousandth of a pixel at 4000 px.
    moved = warp(torch.from_numpy(image.astype(np.float64))[None, None], motion)[0, 0].numpy()
    return np.asarray(np.clip(moved, image.min(), image.max()), np.float32)


def warp(image: Tensor, motion: Motion, mode: str = "bicubic") -> Tensor:
    """(1, C, H, W) → (1, C, H, W), in the image's own precision; `mode` as in torch's grid_sample."""
    height, width = image.shape[2:]
    # grid_sample measures each axis in halves of its own length.
    aspect = height / width
    matrix = torch.tensor(
        [
            [1 + motion.p, -motion.q * aspect, 2 * motion.u / width],
            [motion.q / aspect, 1 + motion.p, 2 * motion.v / height],
        ],
        dtype=torch.float64,
    )
    grid = F.affine_grid(matrix[None].to(image.dtype), [1, 1, height, width], align_corners=False)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)
