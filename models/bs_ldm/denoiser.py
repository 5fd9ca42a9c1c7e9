"""From the U-Net's output to a thresholded x̂₀: what the samplers ask for at each timestep."""

from __future__ import annotations

import torch
from torch import Tensor

from models.bs_ldm.config import BsLdmConfig, Condition
from models.bs_ldm.fast_networks import FastUNet
from models.schedules import CosineSchedule
from models.thresholding import clamp_x0


class Denoiser:
    """x̂₀(x_t, t) under one radiograph's latent; a `PredictX0` of `models.samplers`.

    The U-Net sees x_t ‖ condition; of its output only the first channels, as many as x_t has, enter (the published
    network also predicts the noise of its condition). Everything here is float32.
    """

    def __init__(self, unet: FastUNet, config: BsLdmConfig, schedule: CosineSchedule, condition: Tensor) -> None:
        self._unet, self._config, self._schedule = unet, config, schedule
        self._condition = condition

    def __call__(self, x_t: Tensor, t: int) -> Tensor:
        """x_t (N, D, h, w) float32 → x̂₀, the same."""
        condition = self._condition
        if self._config.condition is Condition.SCALED:
            condition = self._schedule.alpha_sigma(t)[0] * condition
        output = self._unet(torch.cat([x_t, condition], dim=1), t)[:, : x_t.shape[1]]
        return clamp_x0(self._schedule.to_x0(self._config.prediction, output, x_t, t), t)
