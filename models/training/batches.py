"""Training batches: radiographs and bone residuals from pairs, CT projections and projected bone over real lungs.

A batch is a pure function of the data, the seed and the step, so that a resumed training sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.training.augment import bone_scaled, crop, exposed, marker_mask, noisy, overlaid, planted, retoned, uniform
from models.training.data import TrainingData

STRENGTH_SIGMA = 30.0
PAIR_SCALE = (0.8, 1.25)
MARKED_SHARE = 0.4
NODULE_SHARE = 0.7
PROJECTION_SCALE = (0.85, 1.35)


@dataclass(frozen=True)
class Mixture:
    """How many images of a batch come from where."""

    pairs: int = 3
    projections: int = 1
    overlays: int = 2


@dataclass(frozen=True)
class Batch:
    """Model units: radiographs in [-1, 1] and their bone residuals, (N, 1, side, side) float32."""

    cxr: Tensor
    residual: Tensor
    exact: Tensor
    """(N, 1, 1, 1): 1 where the residual is known in every frequency, 0 where only above the hospital's tone."""
    trust: Tensor
    """(N, 1, side, side): 0 where something moved between the exposures, else 1."""


def generator_for(seed: int, step: int) -> torch.Generator:
    """The generator of one step, the same whether the training was interrupted or not."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def draw_batch(data: TrainingData, mixture: Mixture, side: int, generator: torch.Generator) -> Batch:
    """The batch that `generator` stands for."""
    parts: list[tuple[Tensor, Tensor]] = []
    trusted = torch.empty(0, 1, side, side)
    if mixture.pairs:
        pairs = _crops(data.pairs, mixture.pairs, side, generator)
        parts.append(bone_scaled(pairs[:, :1], pairs[:, 1:2], generator, STRENGTH_SIGMA))
        trusted = pairs[:, 2:]
    if mixture.projections:
        paths = _crops(data.projections, mixture.projections, side, generator, PROJECTION_SCALE)
        parts.append(exposed(paths[:, :1], paths[:, 1:], generator))
    if mixture.overlays:
        lungs = _crops(data.pairs, mixture.overlays, side, generator)
        bones = _crops(data.projections, mixture.overlays, side, generator, PROJECTION_SCALE)
        parts.append(overlaid((lungs[:, :1] - lungs[:, 1:2]).clamp(0, 1), bones[:, 1:], generator))
    cxr, residual = (torch.cat(images) for images in zip(*parts, strict=True))
    toned, bone = retoned(planted(cxr, NODULE_SHARE, generator), residual, generator)
    exact = torch.ones(len(toned), 1, 1, 1)
    exact[: mixture.pairs] = 0
    trust = torch.ones_like(toned)
    trust[: mixture.pairs] = trusted
    marked = marker_mask(len(toned), side, MARKED_SHARE, generator)
    toned = torch.lerp(toned, uniform(len(toned), 0.7, 1.1, generator), marked)
    return Batch(noisy(toned, generator) * 2 - 1, bone * 2 * (1 - marked), exact, torch.maximum(trust, marked))


def _crops(
    images: Tensor, count: int, side: int, generator: torch.Generator, scale: tuple[float, float] = PAIR_SCALE
) -> Tensor:
    """`count` random crops of random images, (count, C, side, side)."""
    chosen = torch.randint(len(images), (count,), generator=generator).tolist()
    return torch.stack([crop(images[index], side, generator, scale=scale) for index in chosen])


def draw_radiographs(data: TrainingData, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Crops of unpaired radiographs in random tones, (count, 1, side, side), [-1, 1]."""
    cxr = _crops(data.radiographs, count, side, generator)[:, :1]
    return retoned(cxr, torch.zeros_like(cxr), generator)[0].clamp(0, 1) * 2 - 1
