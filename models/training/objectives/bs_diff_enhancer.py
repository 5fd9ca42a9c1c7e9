"""BS-Diff's second stage (arXiv 2311.15328, section 2.2): the enhancement autoencoder, over a trained first stage.

It turns what the first stage sampled into the soft-tissue image, with the published hybrid loss: 1.0·MAE +
1.0·(1 − MS-SSIM) + 0.001·perceptual + 0.01·patch adversarial (least squares). The latent is sampled in training and
there is no KL term, as published; the finished model uses its mean. The perceptual term is LPIPS (AlexNet) where the
operator supplies its weights (published: VGG), and is left out where not: random weights would say nothing. Beside the
published terms there can be one that keeps enhanced radiographs faithful; see `HybridWeights.radiograph`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.bs_diff.autoencoder import Autoencoder
from models.bs_diff.config import ARCHITECTURE, BsDiffConfig
from models.bs_diff.predict import AUTOENCODER_FILE, UNET_FILE
from models.bs_diff.presets import PRESETS
from models.checkpoint import file_sha256
from models.errors import ConfigError
from models.metrics.lpips import SMALLEST_SIDE, load_lpips
from models.training.engine.objective import Installable, Objective, Task
from models.training.objectives.adversarial import PatchDiscriminator, made_as_real, told_apart
from models.training.objectives.bs_diff_settings import EnhancerSettings
from models.training.objectives.ms_ssim import WINDOW, ms_ssim_loss
from models.training.objectives.peers import soft_tissue
from models.training.objectives.trained_denoiser import FirstStage

AUTOENCODER, DISCRIMINATOR = "autoencoder", "discriminator"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampledBatch:
    """What the first stage made, what it should have made and of what, (N, 1, side, side); the noise of the latent."""

    sampled: Tensor
    soft: Tensor
    cxr: Tensor
    latent_noise: Tensor


class EnhancerObjective(Objective[SampledBatch]):
    """The autoencoder against its discriminator."""

    def __init__(self, settings: EnhancerSettings, task: Task, first: FirstStage) -> None:
        smallest = max(settings.discriminator.smallest_side, WINDOW, SMALLEST_SIDE if settings.lpips else 0)
        stride = max(settings.autoencoder.stride, first.unet.config.stride)
        if task.side % stride or task.image_size % stride or task.side < smallest:
            raise ConfigError(
                f"data.side and data.image_size must be multiples of {stride} and data.side {smallest} or more, "
                f"found {task.side} and {task.image_size}"
            )
        self._settings, self._task, self._first = settings, task, first
        self._autoencoder = Autoencoder(settings.autoencoder)
        self._discriminator = PatchDiscriminator(settings.discriminator)
        self._lpips = load_lpips(settings.lpips).to(task.device) if settings.lpips else None
        if self._lpips is None and settings.weights.perceptual:
            LOG.warning("bsdiff: no LPIPS weights are given (bsdiff.lpips), the perceptual term is left out")

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The autoencoder first, as published."""
        return {AUTOENCODER: self._autoencoder, DISCRIMINATOR: self._discriminator}

    def inputs(self) -> Mapping[str, str]:
        """Digests of the first stage and of the LPIPS weights."""
        lpips = {"lpips": file_sha256(self._settings.lpips)} if self._settings.lpips else {}
        return {"denoiser": self._first.digest, **lpips}

    def draw(self, step: int) -> SampledBatch:
        """Images through the first stage, each with its own noise."""
        batch, generator = self._task.batch(step)
        sampled = self._first.sampled(batch.cxr, generator, self._settings.sampling_steps)
        n, side = len(sampled), self._task.side // self._settings.autoencoder.stride
        shape = (n, self._settings.autoencoder.latent_channels, side, side)
        latent_noise = torch.randn(shape, generator=generator)
        return SampledBatch(sampled, soft_tissue(batch), batch.cxr, latent_noise)

    def losses(self, name: str, batch: SampledBatch, step: int) -> Mapping[str, Tensor]:
        """The hybrid loss for the autoencoder; for the discriminator what it mistakes."""
        if name == DISCRIMINATOR:
            with torch.no_grad():
                enhanced = self._enhanced(batch.sampled, batch.latent_noise)
            return {"told-apart": told_apart(self._discriminator(batch.soft), self._discriminator(enhanced))}
        enhanced, weights = self._enhanced(batch.sampled, batch.latent_noise), self._settings.weights
        terms = {
            "mae": weights.mae * (enhanced - batch.soft).abs().mean(),
            "ms-ssim": weights.ms_ssim * ms_ssim_loss(enhanced, batch.soft),
            "adversarial": weights.adversarial * made_as_real(self._discriminator(enhanced)),
        }
        if self._lpips is not None:
            with torch.autocast(enhanced.device.type, enabled=False):
                terms["perceptual"] = weights.perceptual * self._lpips(enhanced, batch.soft).mean()
        if weights.radiograph:
            restored = self._enhanced(batch.cxr, batch.latent_noise)
            terms["radiograph"] = weights.radiograph * (restored - batch.cxr).abs().mean()
        return terms

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """Both stages."""
        config = BsDiffConfig(
            image_size=self._task.image_size,
            condition=self._first.condition,
            unet=self._first.unet.config,
            autoencoder=self._settings.autoencoder,
        )
        files = {UNET_FILE: self._first.unet.state_dict(), AUTOENCODER_FILE: averaged[AUTOENCODER].state_dict()}
        return Installable(ARCHITECTURE, config.to_json(), PRESETS, files)

    def _enhanced(self, image: Tensor, latent_noise: Tensor) -> Tensor:
        return self._autoencoder.decode(self._autoencoder.encode(image).sample(latent_noise)).float()
