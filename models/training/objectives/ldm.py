"""Trains BS-LDM's conditional latent network at any size, with ε-, v- or x₀-prediction: `softray train ldm`.

Over a trained autoencoder, which stays as it is. The diffused latent is the soft tissue's, quantised as published, or
the bone's, E(cxr) − E(soft tissue), unquantised so that it carries no rounding. The condition is the radiograph's
quantised latent, never scaled. Offset noise as published (ε ~ N(0, I + λΣ)). Beside the loss on the latents there is
one on what the service will subtract: the difference of two decodings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.bs_ldm.config import ARCHITECTURE, BsLdmConfig, Target, unet_from_json
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.bs_ldm.presets import FAST, REFERENCE
from models.bs_ldm.unet import UNet, UNetConfig
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.samplers.dpm_solver import START_TIMESTEP
from models.schedules import OFFSET_NOISE, Prediction, cosine_schedule, offset_noise
from models.training.engine.objective import Installable, Objective, Task
from models.training.losses import residual_loss, robust
from models.training.objectives.trained_vqgan import read_trained_vqgan

NETWORK = "unet"


@dataclass(frozen=True)
class LdmSettings:
    """The table `[ldm]`."""

    autoencoder: Path
    """The run folder of `softray train vqgan`."""
    unet: UNetConfig
    prediction: Prediction
    target: Target
    offset_noise: float
    latent: float
    """Weight of the loss on the network's output."""
    pairs_in_latents: float
    """Share of it on pairs, whose two images were toned apart by the scanner; 0: only where the bone is known."""
    squared: bool
    """Mean square on the latents, as published, instead of a robust norm."""
    decoded: float
    """Weight of the loss on the decoded residual; 0 for ε, whose x̂₀ is all error at late timesteps."""
    late_share: float
    """Share of the images whose timestep is `late_timestep` or later, where sampling in few steps decides."""
    late_timestep: int
    own_share: float
    """Share of the images whose x_t is made from the network's own first estimate, as in sampling."""


@dataclass(frozen=True)
class NoisedBatch:
    """Images with all that is random about their diffusion."""

    cxr: Tensor
    residual: Tensor
    exact: Tensor
    trust: Tensor
    t: Tensor
    """(N,) int64."""
    noise: Tensor
    first_noise: Tensor
    """x_T of the estimate that sampling would begin with."""
    own: Tensor
    """(N, 1, 1, 1) bool."""


def make_objective(config: JsonFields, task: Task) -> LdmObjective:
    """See `models.training.engine.objective`."""
    return LdmObjective(read_ldm_settings(config), task)


def read_ldm_settings(fields: JsonFields) -> LdmSettings:
    """Raises ConfigError."""

    def share(name: str, default: float) -> float:
        return fields.number(name, default, low=0.0, high=1.0)

    settings = LdmSettings(
        autoencoder=Path(fields.text("autoencoder")).expanduser(),
        unet=unet_from_json(fields.nested("unet")),
        prediction=Prediction(fields.choice("prediction", tuple(Prediction), Prediction.X0)),
        target=Target(fields.choice("target", tuple(Target), Target.BONE)),
        offset_noise=share("offset_noise", OFFSET_NOISE),
        latent=fields.number("latent", 1.0, low=0.0, high=1e4),
        pairs_in_latents=share("pairs_in_latents", 1.0),
        squared=fields.boolean("squared", False),
        decoded=fields.number("decoded", 0.0, low=0.0, high=1e4),
        late_share=share("late_share", 0.0),
        late_timestep=fields.integer("late_timestep", 600, low=0, high=999),
        own_share=share("own_share", 0.0),
    )
    fields.finish()
    if settings.prediction is Prediction.EPSILON and (settings.decoded or settings.own_share):
        raise ConfigError("ldm: decoded and own_share need a network that predicts v or x0, found epsilon")
    return settings


class LdmObjective(Objective[NoisedBatch]):
    """The latent U-Net."""

    def __init__(self, settings: LdmSettings, task: Task) -> None:
        if task.mixture.differences:
            raise ConfigError(
                f"data.mixture: latents of whole images are learnt, expected no differences, found "
                f"{task.mixture.differences}"
            )
        self._settings, self._task = settings, task
        self._schedule = cosine_schedule()
        self._vqgan, self._vqgan_digest = read_trained_vqgan(settings.autoencoder)
        self._vqgan = self._vqgan.to(task.device)
        self._config = BsLdmConfig(
            image_size=task.image_size,
            prediction=settings.prediction,
            target=settings.target,
            latent_scale=self._latent_scale(),
            unet=settings.unet,
            vqgan=self._vqgan.config,
        )
        multiple = self._vqgan.config.stride * settings.unet.stride
        if task.side % multiple:
            raise ConfigError(f"data.side must be a multiple of {multiple}, found {task.side}")
        self._unet = UNet(settings.unet)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The U-Net alone: the autoencoder is finished."""
        return {NETWORK: self._unet}

    def inputs(self) -> Mapping[str, str]:
        """The autoencoder's digest: with another one this training would mean nothing."""
        return {"autoencoder": self._vqgan_digest}

    def draw(self, step: int) -> NoisedBatch:
        """Images, one timestep each, and noise."""
        settings = self._settings
        batch, generator = self._task.batch(step)
        n, side = len(batch.cxr), self._task.side // self._vqgan.config.stride
        shape = (n, self._vqgan.config.embedding_dim, side, side)
        late = torch.rand(n, generator=generator) < settings.late_share
        first = torch.where(late, settings.late_timestep, 0)
        t = first + (torch.rand(n, generator=generator) * (self._schedule.timesteps - first)).long()
        own = torch.rand((n, 1, 1, 1), generator=generator) < settings.own_share
        first_noise = torch.randn(shape, generator=generator)
        noise = offset_noise(shape, generator, settings.offset_noise)
        return NoisedBatch(batch.cxr, batch.residual, batch.exact, batch.trust, t, noise, first_noise, own)

    def losses(self, name: str, batch: NoisedBatch, step: int) -> Mapping[str, Tensor]:
        """See `Objective.losses`."""
        settings, scale = self._settings, self._config.latent_scale
        condition, x0 = self._latents(batch)
        start = x0
        if settings.own_share:
            with torch.no_grad():
                late = torch.full_like(batch.t, START_TIMESTEP)
                estimate = self._x0(self._predict(batch.first_noise, condition, late), batch.first_noise, late)
            start = torch.where(batch.own, estimate, x0)
        x_t = self._schedule.add_noise(start, batch.noise, batch.t)
        output = self._predict(x_t, condition, batch.t)
        # Where x_t holds the network's own estimate, x0 stays what is asked for: the noise is then the one that
        # would have led from x0 to x_t.
        noise = self._noise_between(x0, x_t, batch.t) if settings.own_share else batch.noise
        terms: dict[str, Tensor] = {}
        if settings.latent:
            error = output - self._schedule.target(settings.prediction, x0, noise, batch.t)
            counted = batch.exact + (1 - batch.exact) * settings.pairs_in_latents
            norm = error.square() if settings.squared else robust(error)
            terms["latent"] = settings.latent * (norm * counted).mean()
        if settings.decoded:
            estimate = self._x0(output, x_t, batch.t)
            z_soft = condition - estimate if settings.target is Target.BONE else estimate
            with torch.no_grad():
                with_bone = self._vqgan.decode(condition / scale).float()
            predicted = with_bone - self._vqgan.decode(z_soft / scale).float()
            with torch.autocast(predicted.device.type, enabled=False):
                loss = residual_loss(predicted, batch.residual, batch.exact, batch.trust)
            terms["decoded"] = settings.decoded * loss
        return terms

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """BS-LDM of this size."""
        files = {VQGAN_FILE: self._vqgan.state_dict(), UNET_FILE: averaged[NETWORK].state_dict()}
        return Installable(ARCHITECTURE, self._config.to_json(), {"fast": FAST, "reference": REFERENCE}, files)

    def _predict(self, x_t: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        output: Tensor = self._unet(torch.cat([x_t, condition], 1), t)
        return output[:, : x_t.shape[1]].float()  # a network of the published width also has outputs for its condition

    @torch.no_grad()
    def _latents(self, batch: NoisedBatch) -> tuple[Tensor, Tensor]:
        """The condition and x₀, float32 throughout: rounding would flip the nearest codes."""
        with torch.autocast(batch.cxr.device.type, enabled=False):
            with_bone = self._vqgan.encode(batch.cxr)
            without = self._vqgan.encode(batch.cxr - batch.residual)
            condition = self._vqgan.quantise(with_bone)
            x0 = with_bone - without if self._settings.target is Target.BONE else self._vqgan.quantise(without)
        return condition * self._config.latent_scale, x0 * self._config.latent_scale

    def _x0(self, output: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        if self._settings.prediction is Prediction.X0:
            return output
        alpha, sigma = self._alpha_sigma(t)
        return alpha * x_t - sigma * output

    def _noise_between(self, x0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = self._alpha_sigma(t)
        return (x_t - alpha * x0) / sigma

    def _alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        alpha_bar = self._schedule.alpha_bar_tensor.to(t.device)[t].view(-1, 1, 1, 1)
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()

    @torch.no_grad()
    def _latent_scale(self) -> float:
        """The factor that brings the radiographs' latents to unit spread, rounded so that a manifest can state it."""
        batch, _ = self._task.batch(0)
        latents = torch.cat([self._vqgan.encode(cxr[None].to(self._task.device)) for cxr in batch.cxr])
        return round(1 / max(float(latents.std()), 1e-3), 4)
