"""Losses on the bone residual.

A dual-energy pair says nothing certain about the slowest changes of brightness: its two images were toned apart. There
the loss looks only above `TONE_SIGMA`; where the residual is exact, the slow part counts as well.

A network that is unsure shrinks: it leaves some of every bone and takes some of every vessel and nodule. `held` counts
that by itself, window by window: how much of a pattern (the bone, the lung's detail, a nodule) the error contains.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from models.gaussian import gaussian_blur, high_pass
from models.training.batches import Batch

TONE_SIGMA = 30.0  # px of 512: 60 px of 1024
DETAIL_SIGMA = 3.0
BONE_SIGMA = 12.0
SOFTNESS = 0.02
BONE_WINDOW, DETAIL_WINDOW = 48, 32
BONE_WEIGHT, SOFT_WEIGHT, NODULE_WEIGHT, MAP_WEIGHT = 0.03, 0.06, 0.06, 0.02


def residual_loss(predicted: Tensor, residual: Tensor, exact: Tensor, trust: Tensor) -> Tensor:
    """Scalar; model units, (N, 1, H, W); `exact` (N, 1, 1, 1) of 0 and 1, `trust` (N, 1, H, W) from 0 to 1."""
    error = trust * (predicted - residual)
    slow = gaussian_blur(error, TONE_SIGMA)
    fast = error - slow
    detail = fast - gaussian_blur(fast, DETAIL_SIGMA)
    across = (fast[..., :, 2:] - fast[..., :, :-2]).abs().mean()
    down = (fast[..., 2:, :] - fast[..., :-2, :]).abs().mean()
    return robust(fast).mean() + robust(detail).mean() + 0.5 * (across + down) + 0.5 * (robust(slow) * exact).mean()


def residual_terms(predicted: Tensor, bone_map: Tensor | None, batch: Batch) -> Mapping[str, Tensor]:
    """All terms of a residual (N, 1, H, W), model units, and of a map of where bone is (logits, same shape), if any."""
    fast = high_pass(batch.trust * (predicted - batch.residual), TONE_SIGMA)
    soft = batch.cxr - batch.residual
    terms = {
        "residual": residual_loss(predicted, batch.residual, batch.exact, batch.trust),
        "bone": BONE_WEIGHT * held(fast, batch.trust * high_pass(batch.residual, BONE_SIGMA), BONE_WINDOW),
        "detail": SOFT_WEIGHT
        * held(high_pass(fast, DETAIL_SIGMA), batch.trust * high_pass(soft, DETAIL_SIGMA), DETAIL_WINDOW),
        "nodules": NODULE_WEIGHT * held(fast, batch.nodules, DETAIL_WINDOW),
    }
    if bone_map is not None:
        there = F.binary_cross_entropy_with_logits(bone_map, batch.bone, reduction="none")
        terms["map"] = MAP_WEIGHT * (there * batch.mapped).mean()
    return terms


def held(error: Tensor, pattern: Tensor, window: int) -> Tensor:
    """How much of `pattern` the `error` contains: sum |<error, pattern>| / sum <pattern, pattern> over windows."""
    window = min(window, *error.shape[2:])
    common = F.avg_pool2d(error * pattern, window, stride=max(1, window // 2)).abs().sum()
    alone = F.avg_pool2d(pattern.square(), window, stride=max(1, window // 2)).sum()
    return common / (alone + 1e-6)


def robust(error: Tensor) -> Tensor:
    """Pseudo-Huber: quadratic below `SOFTNESS`, linear above."""
    return (error.square() + SOFTNESS**2).sqrt() - SOFTNESS
