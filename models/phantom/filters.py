"""Blurs, enlargement and noise fields in numpy, for the phantom's renderer."""

from __future__ import annotations

import numpy as np

from models.phantom.geometry import Floats


def blur(field: Floats, sigma: float) -> Floats:
    """(H, W) float32 -> the same blurred by a Gaussian of `sigma` pixels; edges are continued."""
    if sigma < 0.2:
        return field
    factor = int(sigma // 4)
    if factor >= 2:
        small = shrink(field, factor)
        return enlarge(blur(small, sigma / factor), field.shape)
    radius = int(np.ceil(3.0 * sigma))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(field, pad, mode="edge")
        length = field.shape[axis]
        blurred = np.zeros_like(field)
        for start, tap in enumerate(taps.astype(np.float32)):
            blurred += tap * (padded[start : start + length] if axis == 0 else padded[:, start : start + length])
        field = blurred
    return field


def shrink(field: Floats, factor: int) -> Floats:
    """(H, W) float32 -> means of factor × factor blocks, edges continued where the size does not divide."""
    rows, columns = (-(-n // factor) for n in field.shape)
    pad = ((0, rows * factor - field.shape[0]), (0, columns * factor - field.shape[1]))
    blocks = np.pad(field, pad, mode="edge").reshape(rows, factor, columns, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def enlarge(field: Floats, shape: tuple[int, ...]) -> Floats:
    """(h, w) float32 -> (H, W) by linear interpolation between pixel centres, both grids covering the same field."""
    for axis in (0, 1):
        scale = field.shape[axis] / shape[axis]
        at = np.clip((np.arange(shape[axis]) + 0.5) * scale - 0.5, 0, field.shape[axis] - 1)
        low = np.minimum(at.astype(int), max(0, field.shape[axis] - 2))
        high = np.minimum(low + 1, field.shape[axis] - 1)
        part = (at - low).astype(np.float32)
        part = part[:, None] if axis == 0 else part[None, :]
        field = np.take(field, low, axis) * (1 - part) + np.take(field, high, axis) * part
    return field


def texture(rng: np.random.Generator, size: int, spacing: float, scale_mm: float) -> Floats:
    """(size, size) float32 smooth noise of unit variance with structures of about `scale_mm`.

    Drawn on a grid tied to the millimetre scale, so that a seed gives the same pattern at every image size.
    """
    coarse = int(np.ceil(size * spacing / (0.5 * scale_mm)))
    field = blur(rng.standard_normal((coarse, coarse), dtype=np.float32), 1.0)
    field = (field - field.mean()) / field.std()
    return enlarge(field, (size, size)) if coarse < size else enlarge(shrink(field, -(-coarse // size)), (size, size))
