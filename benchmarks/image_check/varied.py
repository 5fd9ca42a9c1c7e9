"""Copies of a picture as other consoles, positions and collimators would have made it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.image_check.real import Picture, Sample

LARGEST_TURN_DEGREES = 8.0


def varied(picture: Picture, rng: np.random.Generator, *, mirror: bool = True) -> Picture:
    """Another crop, a little turned, stretched, unevenly lit, noisier, perhaps inside a collimator; maybe mirrored."""
    low, high = np.percentile(picture, (1, 99))
    scaled = np.clip((picture - low) / max(high - low, 1e-6), -0.2, 1.2)
    turned = _turned(scaled, rng.uniform(-1, 1) * LARGEST_TURN_DEGREES)
    rows, columns = turned.shape
    top, bottom = (int(rows * rng.uniform(0.0, 0.11)) for _ in range(2))
    left, right = (int(columns * rng.uniform(0.0, 0.11)) for _ in range(2))
    made = turned[top : rows - bottom, left : columns - right]
    made = np.clip(made, 0, None) ** rng.uniform(0.6, 1.6)
    y, x = np.mgrid[-1 : 1 : made.shape[0] * 1j, -1 : 1 : made.shape[1] * 1j]
    made = made + rng.uniform(-0.12, 0.12) * x + rng.uniform(-0.12, 0.12) * y
    made = made + rng.normal(0.0, rng.uniform(0.0, 0.04), made.shape)
    if rng.random() < 0.25:
        made = _collimated(made, rng)
    if rng.random() < 0.3:
        made[: made.shape[0] // 12, : made.shape[1] // 14] = 1.2  # a marker in a corner
    if mirror and rng.random() < 0.5:
        made = made[:, ::-1]
    return np.ascontiguousarray(made, np.float32)


def misplaced(sample: Sample, rng: np.random.Generator) -> list[Sample]:
    """What a frontal chest becomes when it lies on its side or head, or when only a part of it is shown."""
    picture = sample.picture
    rows, columns = picture.shape
    made = [Sample(sample.origin, f"turned {90 * n}", np.rot90(picture, n)) for n in (1, 2, 3)]
    wide, high = int(columns * rng.uniform(0.32, 0.48)), int(rows * rng.uniform(0.32, 0.48))
    corners = {"top left": (0, 0), "top right": (0, columns - wide), "bottom left": (rows - high, 0)}
    corners["bottom right"] = (rows - high, columns - wide)
    for top, left in corners.values():
        made.append(Sample(sample.origin, "part of a chest", picture[top : top + high, left : left + wide]))
    made.append(Sample(sample.origin, "part of a chest", picture[rows - high :]))
    made.append(Sample(sample.origin, "part of a chest", picture[: int(high * 0.8)]))
    return [Sample(one.origin, one.family, np.ascontiguousarray(one.picture)) for one in made]


def _turned(picture: Picture, degrees: float) -> Picture:
    turned = Image.fromarray(picture.astype(np.float32)).rotate(
        degrees, Image.Resampling.BILINEAR, fillcolor=float(np.median(picture[:4]))
    )
    return np.asarray(turned, np.float32)


def _collimated(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows, columns = picture.shape
    edge = [int(n * rng.uniform(0.02, 0.1)) for n in (rows, rows, columns, columns)]
    if rng.random() < 0.5:
        edge[0] = edge[1] = 0
    framed = np.full((rows + edge[0] + edge[1], columns + edge[2] + edge[3]), rng.choice([0.0, 0.0, 1.1]))
    framed[edge[0] : edge[0] + rows, edge[2] : edge[2] + columns] = picture
    return framed
