"""Losses on the bone residual.

A dual-energy pair says nothing certain about the slowest changes of brightness: its two images were toned apart. There
the loss looks only above `TONE_SIGMA`; where the residual is exact, the slow part counts as well.
"""

from __future__ import annotations

from torch import Tensor

from models.gaussian import gaussian_blur

TONE_SIGMA = 30.0  # px of 512: 60 px of 1024
DETAIL_SIGMA = 3.0
SOFTNESS = 0.02


def residual_loss(predicted: Tensor, residual: Tensor, exact: Tensor, trust: Tensor) -> Tensor:
    """Scalar; model units, (N, 1, H, W); `exact` (N, 1, 1, 1) of 0 and 1, `trust` (N, 1, H, W) from 0 to 1."""
    error = trust * (predicted - residual)
    slow = gaussian_blur(error, TONE_SIGMA)
    fast = error - slow
    detail = fast - gaussian_blur(fast, DETAIL_SIGMA)
    across = (fast[..., :, 2:] - fast[..., :, :-2]).abs().mean()
    down = (fast[..., 2:, :] - fast[..., :-2, :]).abs().mean()
    return robust(fast).mean() + robust(detail).mean() + 0.5 * (across + down) + 0.5 * (robust(slow) * exact).mean()


def robust(error: Tensor) -> Tensor:
    """Pseudo-Huber: quadratic below `SOFTNESS`, linear above."""
    return (error.square() + SOFTNESS**2).sqrt() - SOFTNESS
