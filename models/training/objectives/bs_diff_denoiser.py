"""BS-Diff's first stage (arXiv 2311.15328, section 2.1): a conditional diffusion model in pixels, with the loss on ε.

x_t is the noised soft-tissue image, the radiograph stands beside it as it is. The published code noises both with the
same schedule, so that its network saw √ᾱ_t·cxr + √(1 − ᾱ_t)·ε′ in training and a clean radiograph when used; the
condition `noised` trains like that. Only the first output channel is judged, as published: the second says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from models.bs_diff.config import Condition
from models.bs_diff.unet import UNet
from models.errors import ConfigError
from models.metrics import tone_fitted_psnr
from models.preprocess import from_model, to_model
from models.schedules import cosine_schedule, offset_noise
from models.training.data import Pair
from models.training.engine.objective import Objective, Task
from models.training.objectives.bs_diff_settings import DENOISER, DenoiserSettings
from models.training.objectives.peers import soft_tissue
from models.training.objectives.trained_denoiser import FirstStage

FIGURE_STEPS = 10


@dataclass(frozen=True)
class DiffusedBatch:
    """Images with all that is random about their diffusion; (N, 1, side, side) each, `t` (N,) int64."""

    cxr: Tensor
    soft: Tensor
    t: Tensor
    noise: Tensor
    condition_noise: Tensor


class DenoiserObjective(Objective[DiffusedBatch]):
    """The U-Net."""

    def __init__(self, settings: DenoiserSettings, task: Task) -> None:
        stride = settings.unet.stride
        if task.side % stride or task.image_size % stride:
            raise ConfigError(
                f"data.side and data.image_size must be multiples of {stride}, found {task.side} and {task.image_size}"
            )
        self._settings, self._task = settings, task
        self._schedule = cosine_schedule()
        self._unet = UNet(settings.unet)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The one network."""
        return {DENOISER: self._unet}

    def draw(self, step: int) -> DiffusedBatch:
        """Images, one uniform timestep each, and noise."""
        batch, generator = self._task.batch(step)
        n, _, height, width = batch.cxr.shape
        return DiffusedBatch(
            cxr=batch.cxr,
            soft=soft_tissue(batch),
            t=torch.randint(self._schedule.timesteps, (n,), generator=generator),
            noise=offset_noise((n, 1, height, width), generator, self._settings.offset_noise),
            condition_noise=torch.randn((n, 1, height, width), generator=generator),
        )

    def losses(self, name: str, batch: DiffusedBatch, step: int) -> Mapping[str, Tensor]:
        """Mean square of the error of ε."""
        x_t = self._schedule.add_noise(batch.soft, batch.noise, batch.t)
        condition = batch.cxr
        if self._settings.condition is Condition.NOISED:
            condition = self._schedule.add_noise(batch.cxr, batch.condition_noise, batch.t)
        output = self._unet(torch.cat([x_t, condition], dim=1), batch.t)[:, :1].float()
        return {"epsilon": (output - batch.noise).square().mean()}

    def figures(self, averaged: Mapping[str, nn.Module], validation: Iterable[Pair]) -> Mapping[str, float]:
        """Tone-fitted PSNR of a few sampling steps, without the second stage, which makes the model complete."""
        first = FirstStage(cast(UNet, averaged[DENOISER]), self._settings.condition)
        found: list[float] = []
        for index, pair in enumerate(validation):
            seen, placement = to_model(pair.cxr, self._task.image_size)
            soft = first.sampled(seen, torch.Generator().manual_seed(index), FIGURE_STEPS)
            found.append(tone_fitted_psnr(pair.cxr - from_model(seen - soft, placement), pair.soft))
        return {"tone-fitted PSNR, dB": sum(found) / len(found)} if found else {}
