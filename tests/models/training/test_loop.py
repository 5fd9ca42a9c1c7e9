from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from models.residual_unet.network import ResidualUNetConfig
from models.training import residual_unet
from models.training.batches import Mixture, generator_for
from models.training.loop import LoopSettings, Training, averaged_weights

from .synthetic import synthetic_data

SHORT = LoopSettings(steps=6, warm_up=2, save_every=3, learning_rate=5e-4)
ONE_OF_EACH = Mixture(pairs=1, projections=1, overlays=1)


def train(checkpoint: Path, on_step: Callable[[int, float], None], until: int) -> Training:
    recipe = residual_unet.Recipe(SHORT, ResidualUNetConfig((4, 4, 4), 1, 64), ONE_OF_EACH, side=32)
    return residual_unet.train(synthetic_data(), recipe, checkpoint, on_step, until)


def same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_recipe_resumed_from_its_checkpoint_is_the_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    losses: dict[int, float] = {}
    resumed_losses: dict[int, float] = {}
    whole = train(tmp_path / "whole.ckpt", losses.__setitem__, 0)
    train(tmp_path / "parts.ckpt", resumed_losses.__setitem__, 3)
    resumed = train(tmp_path / "parts.ckpt", resumed_losses.__setitem__, 0)
    assert whole.step == resumed.step == 6
    assert resumed_losses == losses
    assert same(whole.network, resumed.network)
    assert same(whole.averaged, resumed.averaged)


def test_a_loss_that_draws_its_own_batch_is_learnt(tmp_path: Path) -> None:
    losses: dict[int, float] = {}
    torch.manual_seed(0)
    training = Training(nn.Conv2d(1, 1, 1), LoopSettings(steps=80, learning_rate=0.05, warm_up=5), tmp_path / "c.ckpt")

    def loss_of(network: nn.Module, step: int) -> torch.Tensor:
        images = torch.rand((4, 1, 8, 8), generator=generator_for(0, step))
        return torch.as_tensor((network(images) - (0.5 - 0.3 * images)).square().mean())

    training.run(loss_of, losses.__setitem__)
    assert losses[80] < 0.01 * losses[1]


def test_the_checkpoint_holds_the_averaged_weights(tmp_path: Path) -> None:
    training = train(tmp_path / "c.ckpt", lambda _step, _loss: None, 0)
    kept = averaged_weights(tmp_path / "c.ckpt")
    assert all(torch.equal(kept[name], tensor) for name, tensor in training.averaged.state_dict().items())
