"""BS-Diff from radiograph to bone residual, on one screen.

Stage 1 samples the soft-tissue picture x₀ in pixels, stage 2 enhances it, S = A(x₀), with names as in the paper (arXiv
2311.15328). The result is the difference between two enhancements, B = A(cxr) − A(x₀): the autoencoder works at a
quarter of the side and blurs, and in cxr − A(x₀) the vessels that it lost would count as bone; in the difference they
cancel, and so does the tone that it gives. The preset `compat` does what is published instead: x̂₀ fed back for every
timestep, and B = cxr − A(x̂₀). Both use the latent's mean, so that only stage 1 is random. See decision 12.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from models.bs_diff.autoencoder import Autoencoder
from models.bs_diff.config import BsDiffConfig, Condition
from models.bs_diff.denoiser import PIXEL_RANGE, Denoiser
from models.bs_diff.presets import X0_FEEDBACK
from models.bs_diff.unet import UNet
from models.bs_diff.x0_feedback import iterate_x0
from models.checkpoint import load_network
from models.errors import ConfigError
from models.manifest import Manifest, Preset
from models.samplers import OnEstimate, OnStep, PredictX0, watched
from models.samplers.ddpm import sample_ddpm
from models.samplers.dpm_solver import sample_dpm_solver, uniform_timesteps
from models.samplers.sde_dpm_solver import even_lambda_timesteps, sample_sde_dpm_solver
from models.schedules import cosine_schedule
from models.suppressor import ModelIdentity, check_radiographs, check_residual, identify
from models.trace import shown_steps

UNET_FILE, AUTOENCODER_FILE = "unet.safetensors", "autoencoder.safetensors"


class BsDiffSuppressor:
    """The loaded method; implements `models.suppressor.SamplingSuppressor`."""

    def __init__(
        self, identity: ModelIdentity, config: BsDiffConfig, unet: UNet, autoencoder: Autoencoder, preset: Preset
    ) -> None:
        self.identity = identity
        self.image_size = config.image_size
        self._config, self._unet, self._autoencoder, self._preset = config, unet, autoencoder, preset
        self._as_published = preset.sampler == X0_FEEDBACK
        self._schedule = cosine_schedule(config.timesteps)
        self._device = next(unet.parameters()).device

    @classmethod
    def from_manifest(cls, manifest: Manifest, device: torch.device, preset: str, steps: int) -> BsDiffSuppressor:
        """Loads both networks onto `device`. Raises WeightsError or ConfigError."""
        config = BsDiffConfig.from_json(manifest.config)
        plan = manifest.preset(preset, steps)
        unet = load_network(lambda: UNet(config.unet), *manifest.file(UNET_FILE), device)
        autoencoder = load_network(lambda: Autoencoder(config.autoencoder), *manifest.file(AUTOENCODER_FILE), device)
        precision = "bfloat16" if device.type == "cuda" else "float32"
        return cls(identify(manifest, plan, precision, device), config, unet, autoencoder, plan)

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """See `Suppressor.bone_residual`."""
        return self.traced_residual(cxr, seeds=seeds, on_step=on_step, on_estimate=lambda _t, _residual: None, frames=0)

    @torch.inference_mode()
    def traced_residual(
        self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep, on_estimate: OnEstimate, frames: int
    ) -> Tensor:
        """See `SamplingSuppressor.traced_residual`; with 0 frames `on_estimate` is never called."""
        check_radiographs(cxr, seeds, self.image_size)
        cxr = cxr.to(self._device)
        bony = cxr if self._as_published else self._enhance(cxr)
        steps, shown = itertools.count(1), shown_steps(self._preset.steps, frames) if frames else frozenset()

        def on_x0(t: int, x0: Tensor) -> None:
            if next(steps) in shown:
                on_estimate(t, check_residual(bony - self._enhance(x0)))

        x0 = self._sample(cxr, seeds, on_step, on_x0)
        return check_residual(bony - self._enhance(x0))

    def _sample(self, cxr: Tensor, seeds: Sequence[int], on_step: OnStep, on_x0: OnEstimate) -> Tensor:
        """Stage 1: x₀, (N, 1, S, S), in [-1, 1]."""
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]

        def randn(channels: int = 1) -> Tensor:
            """Each image's own noise, from the CPU: a seed means the same on every device and in every batch."""
            size = (1, channels, self.image_size, self.image_size)
            noise = torch.cat([torch.randn(size, generator=generator) for generator in generators])
            return noise[:, :1].to(self._device)

        x_T = randn()
        noised = self._config.condition is Condition.NOISED and not self._as_published
        denoiser = Denoiser(self._unet, self._config.prediction, self._schedule, cxr, randn() if noised else None)
        predict_x0: PredictX0 = watched(denoiser, on_x0)
        steps, start = self._preset.steps, self._preset.start_timestep
        match self._preset.sampler:
            case "x0-feedback":
                return iterate_x0(predict_x0, x_T, self._schedule, on_step)
            case "ddpm":
                # Published samplers draw noise for every output channel; that of x enters.
                channels = self._config.unet.out_channels
                return sample_ddpm(predict_x0, x_T, lambda _t: randn(channels), self._schedule, on_step)
            case "sde-dpm-solver++2m":
                timesteps = even_lambda_timesteps(steps, start, self._schedule)
                return sample_sde_dpm_solver(predict_x0, x_T, lambda _t: randn(), timesteps, self._schedule, on_step)
            case "dpm-solver++2m":
                return sample_dpm_solver(predict_x0, x_T, uniform_timesteps(steps, start), self._schedule, on_step)
        raise ConfigError(f"bs-diff samples in steps; its preset asks for {self._preset.sampler!r}")

    def _enhance(self, image: Tensor) -> Tensor:
        """Stage 2 in float32, whose output is clipped to the range of pixels, as published."""
        enhanced: Tensor = self._autoencoder(image)
        return enhanced.clamp(-PIXEL_RANGE, PIXEL_RANGE)
