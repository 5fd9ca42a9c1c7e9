from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.bs_ldm.vqgan import VqganConfig
from models.errors import ConfigError, WeightsError
from models.json_fields import JsonFields
from models.metrics.lpips import Lpips
from models.training.objectives.adversarial import DiscriminatorConfig
from models.training.objectives.vqgan import VqganObjective, VqganSettings, read_vqgan_settings

from .factories import gradients, loss_of, phantom_task, train

ROWS = (2, 4, 1, 1)
NETWORK = VqganConfig(
    num_channels=(8, 8),
    num_res_channels=8,
    num_res_layers=1,
    downsample_parameters=(ROWS, ROWS),
    upsample_parameters=((*ROWS, 0), (*ROWS, 0)),
    num_embeddings=8,
)
SETTINGS = VqganSettings(
    network=NETWORK,
    discriminator=DiscriminatorConfig(channels=(8, 8)),
    l1=1.0,
    gradient=0.5,
    half_size=1.0,
    quantisation=1.0,
    perceptual=0.001,
    adversarial=0.01,
    spread=0.002,
    unquantised=0.5,
    radiographs=0,
    lpips="",
)


def objective(**changes: object) -> VqganObjective:
    torch.manual_seed(1)
    return VqganObjective(replace(SETTINGS, **changes), phantom_task(steps=20))  # type: ignore[arg-type]


def test_a_batch_holds_radiographs_and_their_soft_tissue() -> None:
    images = objective().draw(3).images
    assert images.shape == (4, 1, 48, 48)
    assert images.abs().max() <= 1
    assert (images[:2] - images[2:]).max() > 0.05
    assert torch.equal(images, objective().draw(3).images)


def test_the_first_part_is_not_quantised_and_the_second_is() -> None:
    vqgan = objective()
    batch = vqgan.draw(0)
    assert set(vqgan.losses("vqgan", batch, 9)) == {"spread", "l1", "gradient", "half_size", "adversarial"}
    assert set(vqgan.losses("vqgan", batch, 10)) == {"quantisation", "l1", "gradient", "half_size", "adversarial"}


def test_each_networks_losses_move_that_network() -> None:
    vqgan = objective()
    batch = vqgan.draw(0)
    assert gradients(vqgan, "discriminator", batch) == {"vqgan": False, "discriminator": True}
    assert gradients(vqgan, "vqgan", batch)["vqgan"]


def test_the_discriminators_turn_leaves_the_codebook_alone() -> None:
    vqgan = objective()
    before = {name: tensor.clone() for name, tensor in vqgan.networks["vqgan"].state_dict().items()}
    vqgan.losses("discriminator", vqgan.draw(0), 15)
    after = vqgan.networks["vqgan"].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_without_an_adversarial_weight_there_is_no_discriminator() -> None:
    assert set(objective(adversarial=0.0).networks) == {"vqgan"}


def test_the_codebook_is_laid_out_when_quantisation_begins_and_holds_the_latents(tmp_path: Path) -> None:
    vqgan = objective(adversarial=0.0)
    codes = vqgan.networks["vqgan"].state_dict()["quantizer.quantizer.embedding.weight"]
    before = codes.clone()
    vqgan.before_step(9)
    assert torch.equal(codes, before)
    vqgan.before_step(10)
    assert not torch.equal(codes, before)
    network = vqgan.networks["vqgan"]
    latents = network.encode(vqgan.draw(11).images)  # type: ignore[operator]
    error = (network.quantise(latents) - latents).square().mean()  # type: ignore[operator]
    assert error < 0.2 * latents.var()


def test_an_autoencoder_learns_to_restore(tmp_path: Path) -> None:
    vqgan = objective(adversarial=0.0, unquantised=1.0)
    batch = vqgan.draw(0)
    before = loss_of(vqgan, "vqgan", batch)["l1"]
    train(vqgan, tmp_path, 60, learning_rate=1e-2)
    assert loss_of(vqgan, "vqgan", batch)["l1"] < 0.9 * before


def test_the_perceptual_term_is_there_only_with_weights(tmp_path: Path) -> None:
    vqgan = objective()
    assert "perceptual" not in vqgan.losses("vqgan", vqgan.draw(0), 0)
    with pytest.raises(WeightsError):
        objective(lpips=str(tmp_path / "none.safetensors"))
    torch.manual_seed(2)
    vqgan._lpips = Lpips().requires_grad_(False)
    assert vqgan.losses("vqgan", vqgan.draw(0), 0)["perceptual"].isfinite()


def test_crops_must_fit_the_networks_stride() -> None:
    with pytest.raises(ConfigError, match="multiples of 4, found 30"):
        VqganObjective(SETTINGS, phantom_task(side=30))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown fields adversarail"):
        read_vqgan_settings(
            JsonFields(
                {
                    "adversarail": 0.1,
                    "network": {
                        "num_channels": [8, 8],
                        "num_res_channels": 8,
                        "num_res_layers": 1,
                        "downsample_parameters": [list(ROWS)] * 2,
                        "upsample_parameters": [[*ROWS, 0]] * 2,
                        "num_embeddings": 8,
                        "embedding_dim": 4,
                    },
                },
                "vqgan",
            )
        )
