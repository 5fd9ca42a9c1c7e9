"""SDE-DPM-Solver++(2M): the second-order multistep solver of the reverse diffusion SDE, in x̂₀ (Lu et al. 2022,
arXiv 2211.01095, appendix B.6).

Ten steps of the deterministic solver smooth what the thousand noisy ones draw. The noise that enters here at each step,
and steps at even distances of λ = log(α/σ), which lie closer towards t = 0 where texture is made, keep it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from models.samplers import OnStep, PredictX0
from models.schedules import CosineSchedule

END_TIMESTEP = 4
"""The last evaluation, σ = 0.016. What ends at 10 smooths more, what ends at 1 has too few steps left above."""


def even_lambda_timesteps(steps: int, start: int, schedule: CosineSchedule, end: int = END_TIMESTEP) -> tuple[int, ...]:
    """`steps` falling timesteps from `start` to `end` (lower where they would not fit), evenly distributed in λ."""
    if not 1 <= steps <= start:
        raise ValueError(f"steps must lie in 1 … {start}, found {steps}")
    end = min(end, start + 1 - steps)
    first, last = _log_ratio(schedule, start), _log_ratio(schedule, end)
    timesteps = [start]
    for i in range(1, steps):
        wanted = first + (last - first) * i / (steps - 1)
        # Room for the steps still to come below, and each timestep once.
        candidates = range(end + steps - 1 - i, timesteps[-1])
        timesteps.append(min(candidates, key=lambda t: abs(_log_ratio(schedule, t) - wanted)))
    return tuple(timesteps)


def sample_sde_dpm_solver(
    predict_x0: PredictX0,
    x_T: Tensor,
    step_noise: Callable[[int], Tensor],
    timesteps: Sequence[int],
    schedule: CosineSchedule,
    on_step: OnStep,
) -> Tensor:
    """x₀ after one evaluation at each of `timesteps` (falling); `x_T`, (N, C, H, W), is taken as noise at the first.

    `step_noise(t)`: z of the step that leaves timestep t, the same shape; not asked for the last, which returns x̂₀.
    """
    x, x0_before, h_before = x_T, None, 0.0
    for i, t in enumerate(timesteps):
        x0 = predict_x0(x, t)
        on_step(i + 1, len(timesteps))
        if i + 1 == len(timesteps):
            return x0

        alpha_t, sigma_t = schedule.alpha_sigma(timesteps[i + 1])
        _, sigma_s = schedule.alpha_sigma(t)
        h = _log_ratio(schedule, timesteps[i + 1]) - _log_ratio(schedule, t)  # λ_t − λ_s
        # r = h_before / h weighs the slope between this estimate and the one before.
        D = x0 if x0_before is None else x0 + h / (2 * h_before) * (x0 - x0_before)
        kept = -math.expm1(-2 * h)
        x = sigma_t / sigma_s * math.exp(-h) * x + alpha_t * kept * D + sigma_t * math.sqrt(kept) * step_noise(t)
        x0_before, h_before = x0, h
    raise ValueError("timesteps is empty")


def _log_ratio(schedule: CosineSchedule, t: int) -> float:
    """λ = log(α/σ) at timestep t."""
    alpha, sigma = schedule.alpha_sigma(t)
    return math.log(alpha / sigma)
