"""From the U-Net's output to a clipped x̂₀: what stage 1's samplers ask for at each timestep."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.schedules import CosineSchedule, Prediction

PIXEL_RANGE = 1.0
"""x̂₀ is an image: it is clipped to ±1, as published; the bound neither widens nor narrows with t."""


class Denoiser:
    """x̂₀(x_t, t) under a batch of radiographs; a `PredictX0` of `models.samplers`.

    The U-Net sees x_t ‖ cxr; of its output the first channel enters (the published network has a second one, for noise
    of its condition). On CUDA it runs in bfloat16; everything around it is float32.
    """

    def __init__(
        self,
        unet: nn.Module,
        prediction: Prediction,
        schedule: CosineSchedule,
        cxr: Tensor,
        condition_noise: Tensor | None = None,
    ) -> None:
        """`cxr`: (N, 1, S, S). With `condition_noise`, of the same shape, it is noised to the timestep before it is
        concatenated; without, it is fed clean."""
        self._unet, self._prediction, self._schedule = unet, prediction, schedule
        self._cxr, self._condition_noise = cxr, condition_noise
        # All timesteps at once on the device: indexing there costs no transfer per step.
        self._timesteps = torch.arange(schedule.timesteps, device=cxr.device)

    def __call__(self, x_t: Tensor, t: int) -> Tensor:
        """x_t (N, 1, S, S) float32 → x̂₀, the same."""
        condition = self._cxr
        if self._condition_noise is not None:
            alpha, sigma = self._schedule.alpha_sigma(t)
            condition = alpha * condition + sigma * self._condition_noise
        timesteps = self._timesteps[t : t + 1].expand(x_t.shape[0])
        with torch.autocast(x_t.device.type, torch.bfloat16, enabled=x_t.device.type == "cuda"):
            output = self._unet(torch.cat([x_t, condition], dim=1), timesteps)
        output = output[:, :1].float()
        return self._schedule.to_x0(self._prediction, output, x_t, t).clamp(-PIXEL_RANGE, PIXEL_RANGE)
