"""BS-Diff's published inference: x̂₀ of each timestep is handed to the next as if it were its x_t.

That is no sampler of the diffusion process (no noise is put back, so from the second step on the network sees cleaner
pictures than it was trained on at that timestep); it is kept for comparing with published results.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from models.samplers import OnStep, PredictX0
from models.schedules import CosineSchedule


def iterate_x0(
    predict_x0: PredictX0,
    x_T: Tensor,
    schedule: CosineSchedule,
    on_step: OnStep,
    observe: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """x̂₀ after every timestep from T − 1 to 0, begun with the noise `x_T`, (N, C, H, W).

    `observe(t, x)`, where given, sees x̂₀ of timestep t.
    """
    x = x_T
    for t in reversed(range(schedule.timesteps)):
        x = predict_x0(x, t)
        on_step(schedule.timesteps - t, schedule.timesteps)
        if observe is not None:
            observe(t, x)
    return x
