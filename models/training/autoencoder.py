"""Trains the autoencoder of bs-ldm-lite: `python -m models.training autoencoder`.

The network has no normalisation and collapses to the mean when it must quantise from the start: the first part of the
training passes latents on as they are, then the codebook is laid out over the latents that are really used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.training.batches import Mixture, draw_batch, draw_radiographs, generator_for
from models.training.data import TrainingData
from models.training.loop import LoopSettings, Training

LITE = VqganConfig(num_channels=(32, 64, 128), num_res_channels=64, num_res_layers=1)
SPREAD_WEIGHT = 0.002
LAYOUT_BATCHES = 8
LLOYD_ROUNDS = 12


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one training of the autoencoder from another. Rates above 5e-4 collapse it."""

    loop: LoopSettings
    network: VqganConfig = LITE
    mixture: Mixture = field(default_factory=lambda: Mixture(pairs=1, projections=1, overlays=1))
    radiographs: int = 2
    side: int = 256
    seed: int = 2
    unquantised: float = 0.5
    """Share of the training before the codebook is laid out."""


def train(
    data: TrainingData, recipe: Recipe, checkpoint: Path, on_step: Callable[[int, float], None], until: int = 0
) -> Training:
    """Train, or go on training from `checkpoint`, to step `until` (0 = the recipe's last)."""
    torch.manual_seed(recipe.seed)
    training = Training(Vqgan(recipe.network), recipe.loop, checkpoint)
    training.resume()
    switch = int(recipe.loop.steps * recipe.unquantised)

    def loss_of(network: nn.Module, step: int) -> Tensor:
        vqgan = cast(Vqgan, network)
        images = draw_images(data, recipe, step)
        if step < switch:
            latents = vqgan.encode(images)
            # Without a bound the encoder spreads without end before there is a codebook to hold it.
            spread = latents.float().square().mean()
            return reconstruction_loss(vqgan.decode(latents), images).add(spread, alpha=SPREAD_WEIGHT)
        if step == switch:
            lay_out_codebook(vqgan, torch.cat([draw_images(data, recipe, step + 1 + i) for i in range(LAYOUT_BATCHES)]))
        latents = vqgan.encode(images).float()
        with torch.autocast("cpu", enabled=False):  # rounding would flip the nearest codes
            quantised = vqgan.quantizer.quantizer(latents)
        return reconstruction_loss(vqgan.decode(quantised.latents), images).add(quantised.commitment)

    training.run(loss_of, on_step, until)
    return training


def draw_images(data: TrainingData, recipe: Recipe, step: int) -> Tensor:
    """Radiographs with and without their bone, and unpaired ones: (N, 1, side, side), [-1, 1]."""
    generator = generator_for(recipe.seed, step)
    batch = draw_batch(data, recipe.mixture, recipe.side, generator)
    unpaired = draw_radiographs(data, recipe.radiographs, recipe.side, generator)
    images = torch.cat([batch.cxr, (batch.cxr - batch.residual).clamp(-1, 1), unpaired])
    return images.to(memory_format=torch.channels_last)


def reconstruction_loss(restored: Tensor, images: Tensor) -> Tensor:
    """L1 of the image, of its gradient, and of its half-size version, which counts ribs more than grain."""
    error = restored.float() - images
    across = (error[..., :, 1:] - error[..., :, :-1]).abs().mean()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + 0.5 * (across + down) + F.avg_pool2d(error, 2).abs().mean()


@torch.no_grad()
def lay_out_codebook(vqgan: Vqgan, images: Tensor) -> None:
    """Spread the codes over the latents of `images` by a few rounds of Lloyd's algorithm."""
    codebook = vqgan.quantizer.quantizer
    count, dimension = codebook.embedding.weight.shape
    flat = vqgan.encode(images).float().permute(0, 2, 3, 1).reshape(-1, dimension)
    order = torch.randperm(len(flat), generator=generator_for(0, len(flat)))
    codes = flat[order[:count]].clone()
    sizes = torch.ones(count)
    for _ in range(LLOYD_ROUNDS):
        with torch.autocast("cpu", enabled=False):
            nearest = torch.cdist(flat, codes).argmin(1)
        sizes = torch.bincount(nearest, minlength=count).float()
        sums = torch.zeros_like(codes).index_add_(0, nearest, flat)
        codes = torch.where(sizes[:, None] > 0, sums / sizes.clamp_min(1)[:, None], codes)
    share = (sizes + 1) / LAYOUT_BATCHES
    codebook.embedding.weight.copy_(codes)
    codebook.ema_cluster_size.copy_(share)
    codebook.ema_w.copy_(codes * share[:, None])
