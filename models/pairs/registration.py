"""Registration of the two exposures of a pair: a shift with a small turn and scale, to a small part of a pixel.

The images differ by the bones and by their tone, so what is compared is their *detail*: a band of spatial frequencies
at equal local contrast. A phase correlation gives the start (Kuglin and Hines 1975); then, from coarse to fine, Gauss-
Newton steps on the detail's differences with a free gain (as in ECC, Evangelidis and Psarakis 2008) and weights that
leave out what differs for another reason than motion (Geman and McClure): ribs, heart, diaphragm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.gaussian import gaussian_blur
from models.pairs.motion import Motion, carry, warp

COARSEST, FINEST = 128, 1024
"""Sides between which the pyramid runs, pixels."""
MATCH_SIDE = 512
"""Side at which the match of two images is measured."""
FINE, COARSE, NEIGHBOURHOOD = 1.0, 3.0, 6.0
"""Standard deviations of the band's two blurs and of the local contrast, pixels of the level."""
STEPS = 10
STILL = 5e-3
"""A step that moves no pixel further, in pixels of the level, ends the level."""
LOST = 0.5
"""Of the longer side: images whose detail has nothing in common may drive the steps anywhere."""
NEGLIGIBLE = 0.05
"""Pixels: a smaller movement is not undone, because interpolation would blur more than it mends."""
MARGIN = 0.04
"""Share of each side that is not compared: collimation, markers, what moved in."""


@dataclass(frozen=True)
class Registration:
    """The moving image as it lies on the fixed one."""

    moved: NDArray[np.float32]
    motion: Motion
    """What was done to it; the identity when nothing would improve the match."""
    match_before: float
    """Correlation of the two images' detail, −1 … 1."""
    match_after: float
    """Never below `match_before`."""


def register(fixed: NDArray[np.float32], moving: NDArray[np.float32]) -> Registration:
    """Carry `moving` onto `fixed`; both (H, W) float32 of one shape, finite, at least 32 pixels a side."""
    before = match(fixed, moving)
    motion = find_motion(fixed, moving)
    if motion.largest_displacement(*fixed.shape) < NEGLIGIBLE:
        return Registration(moving, Motion(), before, before)
    moved = carry(moving, motion)
    after = match(fixed, moved)
    if after <= before:
        return Registration(moving, Motion(), before, before)
    return Registration(moved, motion, before, after)


def match(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Correlation of the detail of two (H, W) images of one shape, −1 … 1; 0 when one has none."""
    side = min(MATCH_SIDE, max(first.shape))
    return _correlation(*(_detail(_at_side(_tensor(image), side)) for image in (first, second)))


def find_motion(fixed: NDArray[np.float32], moving: NDArray[np.float32]) -> Motion:
    """The motion that carries `moving` onto `fixed`, pixels of the images; the identity where none can be told."""
    longest = max(fixed.shape)
    sides = [side for side in (COARSEST, 2 * COARSEST, 4 * COARSEST) if side < longest] + [min(longest, FINEST)]
    motion, last = Motion(), 0
    for side in sides:
        target, source = (_detail(_at_side(_tensor(image), side)) for image in (fixed, moving))
        motion = _refined(target, source, motion.at_scale(side / last) if last else _start(target, source))
        last = side
    return motion.at_scale(longest / last)


def _tensor(image: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]


def _at_side(image: Tensor, side: int) -> Tensor:
    height, width = image.shape[2:]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)


def _detail(image: Tensor) -> Tensor:
    """The band between two blurs, at equal local contrast; flat regions stay near zero."""
    band = gaussian_blur(image, FINE) - gaussian_blur(image, COARSE)
    energy = gaussian_blur(band**2, NEIGHBOURHOOD)
    return band / (energy + 0.05 * energy.mean() + 1e-12).sqrt()


def _inside(detail: Tensor) -> Tensor:
    top, left = (round(side * MARGIN) for side in detail.shape[2:])
    return detail[..., top : detail.shape[2] - top, left : detail.shape[3] - left]


def _correlation(first: Tensor, second: Tensor) -> float:
    a, b = (_inside(detail).double() for detail in (first, second))
    a, b = a - a.mean(), b - b.mean()
    norm = float((a.square().sum() * b.square().sum()).sqrt())
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _start(fixed: Tensor, moving: Tensor) -> Motion:
    """A whole-pixel shift by phase correlation, unless no shift matches better."""
    height, width = fixed.shape[2:]
    window = torch.outer(torch.hann_window(height), torch.hann_window(width))
    spectrum = torch.fft.rfft2(fixed[0, 0] * window) * torch.fft.rfft2(moving[0, 0] * window).conj()
    peak = int(torch.fft.irfft2(spectrum / (spectrum.abs() + 1e-9), s=(height, width)).argmax())
    down, right = peak // width, peak % width
    down, right = (down - height if 2 * down > height else down), (right - width if 2 * right > width else right)
    motion = Motion(u=-float(right), v=-float(down))
    better = _correlation(fixed, warp(moving, motion)) > _correlation(fixed, moving)
    return motion if better else Motion()


def _refined(fixed: Tensor, moving: Tensor, motion: Motion) -> Motion:
    """Gauss-Newton from `motion`, pixels of this level; the identity when it loses its way."""
    height, width = fixed.shape[2:]
    reach = max(height, width) / 2
    y, x = torch.meshgrid(
        (torch.arange(height) + 0.5 - height / 2) / reach,
        (torch.arange(width) + 0.5 - width / 2) / reach,
        indexing="ij",
    )
    source = torch.cat([moving, *_slopes(moving)], 1)
    target = _inside(fixed).reshape(-1)
    across, down = (_inside(axis[None, None]).reshape(-1) for axis in (x, y))
    for _ in range(STEPS):
        found, gx, gy = _inside(warp(source, motion, "bilinear")).reshape(3, -1)
        difference, gain = _difference(target, found)
        weight = _weights(difference)
        jacobian = gain * torch.stack([gx * across + gy * down, gy * across - gx * down, gx, gy], 1)
        weighted = (jacobian * weight[:, None]).double()
        normal = weighted.T @ jacobian.double()
        normal += 1e-6 * normal.diagonal().mean() * torch.eye(4, dtype=torch.float64)
        step = torch.linalg.lstsq(normal, weighted.T @ difference.double()).solution.tolist()
        motion = Motion(motion.p + step[0] / reach, motion.q + step[1] / reach, motion.u + step[2], motion.v + step[3])
        if motion.largest_displacement(height, width) > LOST * max(height, width):
            return Motion()
        if max(abs(each) for each in step) < STILL:
            break
    return motion


def _difference(target: Tensor, found: Tensor) -> tuple[Tensor, float]:
    """What is left of `target` after `found` at its best gain, and that gain."""
    gain = float((target * found).sum() / (found * found).sum().clamp_min(1e-12))
    gain = max(gain, 0.1)  # a start without correlation must not stand still, nor run away from the match
    return target - gain * found, gain


def _weights(difference: Tensor) -> Tensor:
    spread = float(difference.abs().median()) * 1.4826 + 1e-12
    return 1 / (1 + (difference / spread) ** 2) ** 2


def _slopes(image: Tensor) -> tuple[Tensor, Tensor]:
    """∂/∂x and ∂/∂y by central differences, (1, 1, H, W) each."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    return (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2, (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
