"""Trains BS-LDM's ML-VQGAN at any size: `softray train vqgan`.

L_total = L_recon + λ_qua·L_qua with L_recon = λ_L1·L1 + λ_per·L_per + λ_adv·L_adv (arXiv 2412.15670), the adversarial
term a least-squares patch discriminator's; beside it L1 of gradients and of the half-size image, which count ribs more
than grain. The network has no normalisation and collapses to the mean when it must quantise from the start: the first
part of the training passes latents on as they are, then the codebook is laid out over those that are really used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.bs_ldm.config import vqgan_from_json
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.metrics.lpips import Lpips, load_lpips
from models.training.batches import draw_radiographs
from models.training.data import Pair, letterboxed
from models.training.engine.objective import Objective, Task
from models.training.objectives.adversarial import (
    DiscriminatorConfig,
    PatchDiscriminator,
    made_as_real,
    read_discriminator,
    told_apart,
)
from models.training.objectives.codebook import lay_out_codebook

VQGAN, DISCRIMINATOR = "vqgan", "discriminator"
LAYOUT_BATCHES = 8


@dataclass(frozen=True)
class VqganSettings:
    """The table `[vqgan]`. Learning rates above 5e-4 collapse the network."""

    network: VqganConfig
    discriminator: DiscriminatorConfig
    l1: float
    gradient: float
    half_size: float
    quantisation: float
    perceptual: float
    adversarial: float
    spread: float
    """Weight of the latents' mean square before there is a codebook to hold them; without it they grow without end."""
    unquantised: float
    """Share of the training before the codebook is laid out; 0: quantised from the start, with random codes."""
    radiographs: int
    """Unpaired radiographs in each batch."""
    lpips: str
    """File with LPIPS weights; empty: the perceptual term is left out."""


@dataclass(frozen=True)
class Images:
    """(N, 1, side, side), [-1, 1]: radiographs, their soft tissue, unpaired radiographs."""

    images: Tensor


def make_objective(config: JsonFields, task: Task) -> VqganObjective:
    """See `models.training.engine.objective`."""
    return VqganObjective(read_vqgan_settings(config), task)


def read_vqgan_settings(fields: JsonFields) -> VqganSettings:
    """Raises ConfigError."""

    def weight(name: str, default: float) -> float:
        return fields.number(name, default, low=0.0, high=1e4)

    settings = VqganSettings(
        network=vqgan_from_json(fields.nested("network")),
        discriminator=read_discriminator(fields.nested_or_empty("discriminator"), DiscriminatorConfig()),
        l1=weight("l1", 1.0),
        gradient=weight("gradient", 0.5),
        half_size=weight("half_size", 1.0),
        quantisation=weight("quantisation", 1.0),
        perceptual=weight("perceptual", 0.001),
        adversarial=weight("adversarial", 0.0),
        spread=weight("spread", 0.002),
        unquantised=fields.number("unquantised", 0.5, low=0.0, high=1.0),
        radiographs=fields.integer("radiographs", 2, low=0, high=4096),
        lpips=fields.text("lpips", ""),
    )
    fields.finish()
    return settings


class VqganObjective(Objective[Images]):
    """Autoencoder and, where its weight is not 0, discriminator."""

    def __init__(self, settings: VqganSettings, task: Task) -> None:
        if task.side % settings.network.stride or task.image_size % settings.network.stride:
            raise ConfigError(
                f"data.side and data.image_size must be multiples of {settings.network.stride}, "
                f"found {task.side} and {task.image_size}"
            )
        self._settings, self._task = settings, task
        self._switch = int(task.steps * settings.unquantised)
        self._vqgan = Vqgan(settings.network)
        self._discriminator = PatchDiscriminator(settings.discriminator) if settings.adversarial else None
        self._lpips: Lpips | None = load_lpips(Path(settings.lpips)).to(task.device) if settings.lpips else None

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The discriminator follows the autoencoder."""
        return {VQGAN: self._vqgan} | ({DISCRIMINATOR: self._discriminator} if self._discriminator else {})

    def draw(self, step: int) -> Images:
        """Radiographs with and without their bone, and unpaired ones."""
        batch, generator = self._task.batch(step)
        images = [batch.cxr, (batch.cxr - batch.residual).clamp(-1, 1)]
        if count := self._settings.radiographs:
            images.append(draw_radiographs(self._task.data, count, self._task.side, generator))
        return Images(torch.cat(images))

    def before_step(self, step: int) -> None:
        """Lays out the codebook when its time has come."""
        if 0 < self._switch == step:
            batches = (self.draw(step + 1 + i).images for i in range(LAYOUT_BATCHES))
            lay_out_codebook(self._vqgan, [image[None] for batch in batches for image in batch], LAYOUT_BATCHES)

    def losses(self, name: str, batch: Images, step: int) -> Mapping[str, Tensor]:
        """See `Objective.losses`."""
        images = batch.images.to(memory_format=torch.channels_last)
        quantised = step >= self._switch
        if name == DISCRIMINATOR and self._discriminator is not None:
            with torch.no_grad():
                latents = self._vqgan.encode(images).float()
                restored = self._vqgan.decode(self._vqgan.quantise(latents) if quantised else latents).float()
            apart = told_apart(self._discriminator(images), self._discriminator(restored))
            return {"discriminator": apart}
        latents = self._vqgan.encode(images).float()
        terms: dict[str, Tensor] = {}
        if quantised:
            with torch.autocast(images.device.type, enabled=False):  # rounding would flip the nearest codes
                found = self._vqgan.quantizer.quantizer(latents)
            latents = found.latents
            terms["quantisation"] = self._settings.quantisation * found.commitment
        else:
            terms["spread"] = self._settings.spread * latents.square().mean()
        return terms | self._reconstruction(self._vqgan.decode(latents).float(), images)

    def _reconstruction(self, restored: Tensor, images: Tensor) -> dict[str, Tensor]:
        weights = self._settings
        error = restored - images
        terms = {"l1": weights.l1 * error.abs().mean()}
        if weights.gradient:
            across = (error[..., :, 1:] - error[..., :, :-1]).abs().mean()
            down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
            terms["gradient"] = weights.gradient * (across + down)
        if weights.half_size:
            terms["half_size"] = weights.half_size * F.avg_pool2d(error, 2).abs().mean()
        if self._lpips is not None and weights.perceptual:
            terms["perceptual"] = weights.perceptual * self._lpips(restored, images).mean()
        if self._discriminator is not None:
            terms["adversarial"] = weights.adversarial * made_as_real(self._discriminator(restored))
        return terms

    @torch.no_grad()
    def figures(self, averaged: Mapping[str, nn.Module], validation: Iterable[Pair]) -> Mapping[str, float]:
        """How well quantised radiographs and soft-tissue images are restored, and how many codes they use."""
        vqgan = averaged[VQGAN]
        if not isinstance(vqgan, Vqgan):
            raise TypeError(f"expected a Vqgan, found {type(vqgan).__name__}")
        decibels: list[float] = []
        used: set[int] = set()
        for pair in validation:
            both = torch.from_numpy(np.stack([pair.cxr, pair.soft]))[:, None]
            images = letterboxed(both, self._task.image_size).to(self._task.device) * 2 - 1
            found = vqgan.quantizer.quantizer.look_up(vqgan.encode(images))
            error = (vqgan.decode(found.latents) - images).square().mean((1, 2, 3)) / 4
            decibels += (-10 * torch.log10(error)).tolist()
            used.update(found.indices.flatten().tolist())
        if not decibels:
            return {}
        return {"reconstruction_psnr_db": float(np.mean(decibels)), "codes_used": float(len(used))}
