from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from models.bs_ldm.unet import UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.residual_unet.network import ResidualUNetConfig
from models.training import autoencoder, latent, residual_unet
from models.training.batches import Mixture, generator_for
from models.training.loop import LoopSettings, Training, averaged_weights

from .synthetic import synthetic_data

Train = Callable[[Path, Callable[[int, float], None], int], Training]

SHORT = LoopSettings(steps=6, warm_up=2, save_every=3, learning_rate=5e-4)
ONE_OF_EACH = Mixture(pairs=1, projections=1, overlays=1)
SMALL_VQGAN = VqganConfig(num_channels=(4, 4, 4), num_res_channels=4, num_res_layers=1, num_embeddings=8)
SMALL_UNET = UNetConfig(8, 4, 32, 1, (1, 1), (2,), 2)


def train_residual_unet(checkpoint: Path, on_step: Callable[[int, float], None], until: int) -> Training:
    recipe = residual_unet.Recipe(SHORT, ResidualUNetConfig((4, 4, 4), 1, 64), ONE_OF_EACH, side=32)
    return residual_unet.train(synthetic_data(), recipe, checkpoint, on_step, until)


def train_autoencoder(checkpoint: Path, on_step: Callable[[int, float], None], until: int) -> Training:
    recipe = autoencoder.Recipe(SHORT, SMALL_VQGAN, ONE_OF_EACH, radiographs=1, side=32)
    return autoencoder.train(synthetic_data(), recipe, checkpoint, on_step, until)


def train_latent(checkpoint: Path, on_step: Callable[[int, float], None], until: int) -> Training:
    torch.manual_seed(5)
    recipe = latent.Recipe(SHORT, SMALL_UNET, ONE_OF_EACH, side=32)
    return latent.train(synthetic_data(), Vqgan(SMALL_VQGAN), recipe, checkpoint, on_step, until)


def same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("train", [train_residual_unet, train_autoencoder, train_latent])
def test_a_training_resumed_from_its_checkpoint_is_the_uninterrupted_one_bit_for_bit(
    train: Train, tmp_path: Path
) -> None:
    losses: dict[int, float] = {}
    resumed_losses: dict[int, float] = {}
    whole = train(tmp_path / "whole.ckpt", losses.__setitem__, 0)
    train(tmp_path / "parts.ckpt", resumed_losses.__setitem__, 3)
    resumed = train(tmp_path / "parts.ckpt", resumed_losses.__setitem__, 0)
    assert whole.step == resumed.step == 6
    assert resumed_losses == losses
    assert same(whole.network, resumed.network)
    assert same(whole.averaged, resumed.averaged)


def test_a_training_learns(tmp_path: Path) -> None:
    losses: dict[int, float] = {}
    torch.manual_seed(0)
    training = Training(nn.Conv2d(1, 1, 1), LoopSettings(steps=80, learning_rate=0.05, warm_up=5), tmp_path / "c.ckpt")

    def loss_of(network: nn.Module, step: int) -> torch.Tensor:
        images = torch.rand((4, 1, 8, 8), generator=generator_for(0, step))
        return (network(images) - (0.5 - 0.3 * images)).square().mean()

    training.run(loss_of, losses.__setitem__)
    assert losses[80] < 0.01 * losses[1]


def test_the_checkpoint_holds_the_averaged_weights(tmp_path: Path) -> None:
    training = train_residual_unet(tmp_path / "c.ckpt", lambda _step, _loss: None, 0)
    kept = averaged_weights(tmp_path / "c.ckpt")
    assert all(torch.equal(kept[name], tensor) for name, tensor in training.averaged.state_dict().items())


def test_the_codebook_is_laid_out_over_the_latents_that_are_used(tmp_path: Path) -> None:
    training = train_autoencoder(tmp_path / "c.ckpt", lambda _step, _loss: None, 0)
    vqgan = training.network
    assert isinstance(vqgan, Vqgan)
    recipe = autoencoder.Recipe(SHORT, SMALL_VQGAN, ONE_OF_EACH, radiographs=1, side=32)
    latents = vqgan.eval().encode(autoencoder.draw_images(synthetic_data(), recipe, 0))
    error = (vqgan.quantise(latents) - latents).square().mean()
    assert error.item() < 0.5 * float(latents.detach().var())
