"""Trains residual-unet: `python -m models.training residual-unet`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.training.batches import Mixture, draw_batch, generator_for
from models.training.data import TrainingData
from models.training.loop import LoopSettings, Training
from models.training.losses import residual_loss


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one training of the network from another."""

    loop: LoopSettings
    network: ResidualUNetConfig = field(default_factory=ResidualUNetConfig)
    mixture: Mixture = field(default_factory=Mixture)
    side: int = 256
    """Side of the training crops, px of a 512-px radiograph."""
    seed: int = 1


def train(
    data: TrainingData, recipe: Recipe, checkpoint: Path, on_step: Callable[[int, float], None], until: int = 0
) -> Training:
    """Train, or go on training from `checkpoint`, to step `until` (0 = the recipe's last)."""
    torch.manual_seed(recipe.seed)
    training = Training(ResidualUNet(recipe.network), recipe.loop, checkpoint)
    training.resume()

    def loss_of(network: nn.Module, step: int) -> Tensor:
        batch = draw_batch(data, recipe.mixture, recipe.side, generator_for(recipe.seed, step))
        predicted = network(batch.cxr.to(memory_format=torch.channels_last))
        with torch.autocast("cpu", enabled=False):
            return residual_loss(predicted.float(), batch.residual, batch.exact, batch.trust)

    training.run(loss_of, on_step, until)
    return training
