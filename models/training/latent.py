"""Trains the conditional latent network of bs-ldm-lite: `python -m models.training latent`.

The diffused latent is the bone's share, E(cxr) - E(soft tissue), both unquantised so that it carries no rounding; the
condition is the radiograph's quantised latent, never scaled. The network predicts x0 and is judged on the latent and,
through the frozen decoder, on the residual that the service will subtract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from models.bs_ldm.config import BsLdmConfig, Target
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan
from models.samplers.dpm_solver import START_TIMESTEP
from models.schedules import Prediction, cosine_schedule, offset_noise
from models.training.autoencoder import LITE as LITE_VQGAN
from models.training.batches import Batch, Mixture, draw_batch, generator_for
from models.training.data import TrainingData
from models.training.loop import LoopSettings, Training
from models.training.losses import residual_loss, robust

LITE = UNetConfig(
    in_channels=8,
    out_channels=4,
    model_channels=64,
    num_res_blocks=1,
    channel_mult=(1, 2, 2),
    attention_resolutions=(4,),
    num_heads=4,
)
LATENT_WEIGHT = 0.3
LATE_SHARE = 0.5
LATE_TIMESTEP = 600
OWN_SHARE = 0.5


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one training of the latent network from another."""

    loop: LoopSettings
    network: UNetConfig = LITE
    mixture: Mixture = field(default_factory=lambda: Mixture(pairs=2, projections=1, overlays=1))
    side: int = 256
    seed: int = 3


def lite_config(latent_scale: float) -> BsLdmConfig:
    """bs-ldm-lite as its manifest states it."""
    return BsLdmConfig(
        image_size=512,
        prediction=Prediction.X0,
        target=Target.BONE,
        latent_scale=latent_scale,
        unet=LITE,
        vqgan=LITE_VQGAN,
    )


def train(
    data: TrainingData,
    vqgan: Vqgan,
    recipe: Recipe,
    checkpoint: Path,
    on_step: Callable[[int, float], None],
    until: int = 0,
) -> Training:
    """Train, or go on training from `checkpoint`, to step `until` (0 = the recipe's last); `vqgan` stays as it is."""
    torch.manual_seed(recipe.seed)
    training = Training(UNet(recipe.network), recipe.loop, checkpoint)
    training.resume()
    vqgan.eval().requires_grad_(False)
    scale = latent_scale(data, vqgan, recipe)

    def loss_of(network: nn.Module, step: int) -> Tensor:
        generator = generator_for(recipe.seed, step)
        batch = draw_batch(data, recipe.mixture, recipe.side, generator)
        return latent_loss(network, vqgan, batch, scale, generator)

    training.run(loss_of, on_step, until)
    return training


def latent_loss(network: nn.Module, vqgan: Vqgan, batch: Batch, scale: float, generator: torch.Generator) -> Tensor:
    """Scalar: one random timestep per image, mostly late ones, where sampling in few steps decides."""
    schedule = cosine_schedule()
    with torch.no_grad():
        unquantised = vqgan.encode(batch.cxr).float()
        with torch.autocast("cpu", enabled=False):  # rounding would flip the nearest codes
            condition = vqgan.quantise(unquantised) * scale
        bone = (unquantised - vqgan.encode(batch.cxr - batch.residual).float()) * scale
    n = len(bone)
    late = torch.rand(n, generator=generator) < LATE_SHARE
    first = torch.where(late, LATE_TIMESTEP, 0)
    t = first + (torch.rand(n, generator=generator) * (schedule.timesteps - first)).long()
    shape = (n, bone.shape[1], bone.shape[2], bone.shape[3])
    with torch.no_grad():
        # In sampling x_t holds the network's own first estimate, not the truth: half of the images practise that.
        own = torch.rand((n, 1, 1, 1), generator=generator) < OWN_SHARE
        start = torch.full_like(t, START_TIMESTEP)
        estimate = network(torch.cat([torch.randn(shape, generator=generator), condition], 1), start).float()
    x_t = schedule.add_noise(torch.where(own, estimate, bone), offset_noise(shape, generator), t)
    x0 = network(torch.cat([x_t, condition], 1), t).float()
    with torch.no_grad():
        with_bone = vqgan.decode(condition / scale).float()
    predicted = with_bone - vqgan.decode((condition - x0) / scale).float()
    # Where the pair's tones differ its latents do as well: there only the decoded residual is trusted.
    in_latents = (robust(x0 - bone) * batch.exact).mean()
    return residual_loss(predicted, batch.residual, batch.exact, batch.trust) + LATENT_WEIGHT * in_latents


@torch.no_grad()
def latent_scale(data: TrainingData, vqgan: Vqgan, recipe: Recipe) -> float:
    """The factor that brings the radiographs' latents to unit spread, rounded so that a manifest can state it."""
    batch = draw_batch(data, Mixture(4, 4, 4), recipe.side, generator_for(recipe.seed, 0))
    return round(1 / float(vqgan.encode(batch.cxr).std()), 4)
