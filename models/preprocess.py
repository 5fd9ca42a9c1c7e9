"""Between a radiograph's own grid and a network's square input, for whoever runs a model.

`to_model` shrinks an image into the square, `from_model` carries the bone residual back to the image's grid, so that
the native-resolution result is source − residual and keeps every detail that is not bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

BLACK = -1.0
"""The model range's lower end: what surrounds an image that is not square, as unexposed collimation does."""


@dataclass(frozen=True)
class Placement:
    """Where an image lies in the network's square: all that is needed to undo the placing. Pixels."""

    source_height: int
    source_width: int
    size: int
    top: int
    left: int
    height: int
    width: int


def to_model(display: NDArray[np.float32], size: int) -> tuple[Tensor, Placement]:
    """(H, W) float32, [0, 1] (clipped to it), bone bright -> (1, 1, size, size) float32, [-1, 1], and how it was
    placed.

    The aspect ratio is kept; the rest of the square is black, in equal parts on both sides (the odd pixel below or
    right). Raises ValueError for anything but a non-empty matrix of finite numbers.
    """
    if display.ndim != 2 or 0 in display.shape:
        raise ValueError(f"expected a matrix (H, W) with at least one pixel, found shape {display.shape}")
    if not np.isfinite(display).all():
        raise ValueError("expected finite pixel values, found NaN or infinity")
    placement = place(display.shape[0], display.shape[1], size)
    clipped = np.clip(display, 0.0, 1.0).astype(np.float32, copy=False)
    inside = (placement.height, placement.width)
    scaled = torch.from_numpy(clipped)[None, None]
    if inside != display.shape:
        # Antialiasing makes the kernel as wide as a target pixel; bilinear weights never leave the input's range.
        scaled = F.interpolate(scaled, inside, mode="bilinear", align_corners=False, antialias=True)
    square = torch.full((1, 1, size, size), BLACK, dtype=torch.float32)
    square[..., _rows(placement), _columns(placement)] = (2.0 * scaled - 1.0).clamp(-1.0, 1.0)
    return square, placement


def from_model(residual: Tensor, placement: Placement) -> NDArray[np.float32]:
    """(1, 1, S, S) residual in units of [-1, 1] -> (H, W) float32 residual in display units ([0, 1], hence halved).

    Bicubic, so that no grid of the network's pixels shows; antialiased where the source is smaller than the square.
    Zeros stay exactly zero. Raises ValueError when the residual is not of the placement's size.
    """
    expected = (1, 1, placement.size, placement.size)
    if tuple(residual.shape) != expected:
        raise ValueError(f"expected a residual of shape {expected}, found {tuple(residual.shape)}")
    inside = residual.detach().to("cpu", torch.float32)[..., _rows(placement), _columns(placement)] * 0.5
    native = (placement.source_height, placement.source_width)
    if tuple(inside.shape[-2:]) != native:
        shrinks = native[0] < placement.height or native[1] < placement.width
        inside = F.interpolate(inside, native, mode="bicubic", align_corners=False, antialias=shrinks)
    return np.array(inside[0, 0].numpy(), dtype=np.float32, order="C")


def place(height: int, width: int, size: int) -> Placement:
    """The largest centred rectangle of the image's aspect ratio in a square of `size` pixels; at least one pixel
    thick."""
    if size < 1:
        raise ValueError(f"expected a square of at least one pixel, found size {size}")
    scale = size / max(height, width)
    inner_height = min(size, max(1, round(height * scale)))
    inner_width = min(size, max(1, round(width * scale)))
    return Placement(
        source_height=height,
        source_width=width,
        size=size,
        top=(size - inner_height) // 2,
        left=(size - inner_width) // 2,
        height=inner_height,
        width=inner_width,
    )


def _rows(placement: Placement) -> slice:
    return slice(placement.top, placement.top + placement.height)


def _columns(placement: Placement) -> slice:
    return slice(placement.left, placement.left + placement.width)
