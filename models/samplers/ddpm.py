"""Ancestral sampling, every timestep (Ho et al. 2020, arXiv 2006.11239, algorithm 2 with eq. 6 and 7)."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from models.samplers import OnStep, PredictX0
from models.schedules import CosineSchedule

MIN_VARIANCE = 1e-20


def sample_ddpm(
    predict_x0: PredictX0,
    x_T: Tensor,
    step_noise: Callable[[int], Tensor],
    schedule: CosineSchedule,
    on_step: OnStep,
    observe: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """x₀ after one evaluation at each t = T−1 … 0.

    `x_T`: the start noise, (N, C, H, W). `step_noise(t)`: z of timestep t, the same shape, asked for t > 0 only.
    `observe(t, x)`, where given, sees x after the step at timestep t.
    """
    x = x_T
    for t in reversed(range(schedule.timesteps)):
        x0 = predict_x0(x, t)
        on_step(schedule.timesteps - t, schedule.timesteps)

        beta, alpha_bar = schedule.beta[t], schedule.alpha_bar[t]
        alpha_bar_prev = schedule.alpha_bar[t - 1] if t > 0 else 1.0
        # Posterior q(x_{t−1} | x_t, x₀): mean μ̃ and variance β̃ (eq. 7).
        of_x0 = math.sqrt(alpha_bar_prev) * beta / (1 - alpha_bar)
        of_x = math.sqrt(1 - beta) * (1 - alpha_bar_prev) / (1 - alpha_bar)
        x = of_x0 * x0 + of_x * x
        if t > 0:
            variance = max((1 - alpha_bar_prev) / (1 - alpha_bar) * beta, MIN_VARIANCE)
            x = x + math.sqrt(variance) * step_noise(t)
        if observe is not None:
            observe(t, x)
    return x
