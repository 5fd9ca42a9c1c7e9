"""Figures of a bone residual on pairs and projections that training never saw, beside what doing nothing scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.metrics import Scores, fit, score
from models.preprocess import from_model, to_model
from models.training.augment import exposed
from models.training.data import HELD_OUT_PROJECTIONS, Pair, letterboxed
from models.training.projections import read_projections

FIGURE_SIZE = 1024
MIN_PSNR_DB, MAX_BONE_LEFT, MIN_DETAIL_KEPT = 29.5, 0.50, 0.60

Residual = Callable[[Tensor], Tensor]
"""(1, 1, S, S) radiograph in [-1, 1] → its bone residual in the same unit."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    method: str
    scores: Scores


def suppressed(cxr: NDArray[np.float32], residual_of: Residual, size: int) -> NDArray[np.float32]:
    """The soft-tissue image at the radiograph's own size: what the service computes, display units."""
    seen, placement = to_model(cxr, size)
    with torch.inference_mode():
        residual = residual_of(seen)
    soft: NDArray[np.float32] = cxr - from_model(residual, placement)
    return soft


def baselines(pair: Pair) -> list[Row]:
    """What no model at all scores: the radiograph itself, also with its tone fitted (the metrics fit it anyway)."""
    return [
        Row("identity", score(pair.cxr, pair.cxr, pair.soft)),
        Row("affine", score(fit(pair.cxr, pair.soft), pair.cxr, pair.soft)),
    ]


def held_out_projections(path: Path) -> list[Pair]:
    """The projections kept from training, exposed with an ordinary tone, as pairs of 1024 x 1024."""
    kept = read_projections(path)
    soft, bone = kept.soft[-HELD_OUT_PROJECTIONS:, None], kept.bone[-HELD_OUT_PROJECTIONS:, None]
    radiographs, residuals = exposed(soft, bone, torch.Generator().manual_seed(0))
    both = letterboxed(torch.cat([radiographs, radiographs - residuals], 1), soft.shape[-1])
    both = F.interpolate(both, size=FIGURE_SIZE, mode="bicubic").clamp(0, 1)
    return [Pair(f"ct-{i}", *(plane.numpy() for plane in pair)) for i, pair in enumerate(both)]


def mean_scores(scores: list[Scores]) -> Scores:
    """The mean of each figure."""
    return Scores(*(float(np.mean([getattr(s, name) for s in scores])) for name in Scores.__dataclass_fields__))


def meets_bar(scores: Scores) -> bool:
    """Whether a model is good enough to ship as the default."""
    return scores.psnr_db >= MIN_PSNR_DB and scores.bone_left <= MAX_BONE_LEFT and scores.detail_kept >= MIN_DETAIL_KEPT
