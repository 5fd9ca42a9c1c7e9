"""BS-LDM from radiograph to bone residual, on one screen.

pixels ⇒ latents ⇒ sampling ⇒ latents ⇒ pixels, with names as in the paper (arXiv 2412.15670). The result is the
difference between two decodings, B = D(z_cxr) − D(z_soft): what the autoencoder itself blurs or invents cancels in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from models.bs_ldm.config import BsLdmConfig, Target
from models.bs_ldm.denoiser import Denoiser
from models.bs_ldm.fast_networks import FastUNet, fast_decoder
from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from models.checkpoint import load_network
from models.device.graphs import graphs_for
from models.manifest import Manifest, Preset
from models.samplers import OnEstimate, OnStep, PredictX0, watched
from models.samplers.ddpm import sample_ddpm
from models.samplers.dpm_solver import sample_dpm_solver, uniform_timesteps
from models.samplers.sde_dpm_solver import even_lambda_timesteps, sample_sde_dpm_solver
from models.schedules import cosine_schedule
from models.suppressor import ModelIdentity, check_radiographs, check_residual, identify
from models.trace import shown_steps

UNET_FILE, VQGAN_FILE = "unet.safetensors", "vqgan.safetensors"


class BsLdmSuppressor:
    """The loaded method; implements `models.suppressor.Suppressor`."""

    def __init__(self, identity: ModelIdentity, config: BsLdmConfig, vqgan: Vqgan, unet: UNet, preset: Preset) -> None:
        self.identity = identity
        self.image_size = config.image_size
        self._config, self._vqgan, self._unet, self._preset = config, vqgan, unet, preset
        self._schedule = cosine_schedule(config.timesteps)
        self._device = next(unet.parameters()).device
        graphs = graphs_for(self._device)
        self._fast_unet, self._decoder = FastUNet(unet, graphs), fast_decoder(vqgan, graphs)

    @classmethod
    def from_manifest(cls, manifest: Manifest, device: torch.device, preset: str, steps: int) -> BsLdmSuppressor:
        """Loads both networks onto `device`. Raises WeightsError or ConfigError."""
        config = BsLdmConfig.from_json(manifest.config)
        plan = manifest.preset(preset, steps)
        vqgan = load_network(lambda: Vqgan(config.vqgan), *manifest.file(VQGAN_FILE), device)
        unet = load_network(lambda: UNet(config.unet), *manifest.file(UNET_FILE), device)
        precision = "bfloat16" if device.type == "cuda" else "float32"
        identity = identify(manifest, plan, precision, device)
        return cls(identity, config, vqgan, unet, plan)

    @torch.inference_mode()
    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """See `Suppressor.bone_residual`."""
        check_radiographs(cxr, seeds, self.image_size)
        z_cxr = self._encode(cxr.to(self._device))
        x0 = self._sample(self._denoiser(z_cxr), z_cxr, seeds, on_step)
        return self._residual(x0, z_cxr, self._decode(z_cxr))

    @torch.inference_mode()
    def traced_residual(
        self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep, on_estimate: OnEstimate, frames: int
    ) -> Tensor:
        """See `SamplingSuppressor.traced_residual`."""
        check_radiographs(cxr, seeds, self.image_size)
        z_cxr = self._encode(cxr.to(self._device))
        decoded_cxr = self._decode(z_cxr)
        steps, shown = itertools.count(1), shown_steps(self._preset.steps, frames)

        def on_x0(t: int, x0: Tensor) -> None:
            if next(steps) in shown:
                on_estimate(t, self._residual(x0, z_cxr, decoded_cxr))

        x0 = self._sample(watched(self._denoiser(z_cxr), on_x0), z_cxr, seeds, on_step)
        return self._residual(x0, z_cxr, decoded_cxr)

    def _encode(self, image: Tensor) -> Tensor:
        """Quantised latents, scaled; TF32 off, because a rounded convolution flips code indices."""
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return self._vqgan.quantise(self._vqgan.encode(image)) * self._config.latent_scale

    def _denoiser(self, z_cxr: Tensor) -> PredictX0:
        return Denoiser(self._fast_unet, self._config, self._schedule, z_cxr)

    def _sample(self, predict_x0: PredictX0, z_cxr: Tensor, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]

        def randn(channels: int) -> Tensor:
            """Each image's own noise, from the CPU: a seed means the same on every device and in every batch."""
            size = (1, channels, *z_cxr.shape[2:])
            noise = torch.cat([torch.randn(size, generator=generator) for generator in generators])
            return noise[:, : z_cxr.shape[1]].to(self._device)

        x_T = randn(z_cxr.shape[1])
        if self._preset.sampler == "ddpm":
            # The published sampler draws noise for every output channel; those of x enter.
            step_channels = self._config.unet.out_channels
            return sample_ddpm(predict_x0, x_T, lambda _t: randn(step_channels), self._schedule, on_step)
        steps, start = self._preset.steps, self._preset.start_timestep
        if self._preset.sampler == "sde-dpm-solver++2m":
            timesteps = even_lambda_timesteps(steps, start, self._schedule)
            channels = z_cxr.shape[1]
            return sample_sde_dpm_solver(
                predict_x0, x_T, lambda _t: randn(channels), timesteps, self._schedule, on_step
            )
        timesteps = uniform_timesteps(steps, start)
        return sample_dpm_solver(predict_x0, x_T, timesteps, self._schedule, on_step)

    def _residual(self, x0: Tensor, z_cxr: Tensor, decoded_cxr: Tensor) -> Tensor:
        """D(z_cxr) − D(z_soft), checked, on the CPU."""
        z_soft = z_cxr - x0 if self._config.target is Target.BONE else x0
        return check_residual(decoded_cxr - self._decode(z_soft))

    def _decode(self, z: Tensor) -> Tensor:
        return self._decoder(z / self._config.latent_scale)
