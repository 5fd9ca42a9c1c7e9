from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.bs_ldm.vqgan import Codebook, Vqgan, VqganConfig
from models.errors import ConfigError
from tests.models.bs_ldm.factories import VQGAN, radiograph, randomised
from tests.models.bs_ldm.test_unet import digest, shapes


def full() -> Vqgan:
    with torch.device("meta"):
        return Vqgan(VqganConfig())


def test_the_full_network_has_the_published_number_of_parameters_names_and_shapes() -> None:
    network = full()
    assert sum(parameter.numel() for parameter in network.parameters()) == 38_326_533
    named = shapes(network)
    assert len(named) == 67
    assert digest(named) == "5951f2c58fe964da0d8a87ddbdf6f7aae1c7a22b148b0eb3d0d710aea8146423"


def test_the_full_network_has_the_recorded_names_and_shapes_in_order(shared: Path) -> None:
    recorded = json.loads((shared / "parity" / "vqgan_full_keys.json").read_text())
    assert list(shapes(full()).items()) == list(recorded.items())


def test_latents_are_smaller_by_the_stride_and_pixels_come_back_at_their_size() -> None:
    vqgan = randomised(Vqgan(VQGAN)).eval()
    assert isinstance(vqgan, Vqgan)
    z = vqgan.encode(radiograph(32))
    assert z.shape == (1, 4, 8, 8)
    assert vqgan.decode(z).shape == (1, 1, 32, 32)


def test_quantising_gives_the_nearest_code_at_every_position() -> None:
    codebook = Codebook(16, 4).eval()
    z = torch.randn(2, 4, 3, 5)
    found = codebook.look_up(z)
    distances = (z.permute(0, 2, 3, 1).unsqueeze(-2) - codebook.embedding.weight).norm(dim=-1)
    assert torch.equal(found.indices, distances.argmin(-1))
    assert torch.equal(found.latents.permute(0, 2, 3, 1), codebook.embedding.weight[found.indices])


def test_quantising_twice_changes_nothing() -> None:
    codebook = Codebook(16, 4).eval()
    once = codebook.look_up(torch.randn(1, 4, 4, 4)).latents
    assert torch.equal(codebook.look_up(once).latents, once)


def test_in_training_the_gradient_passes_straight_through_and_the_codes_move_towards_the_latents() -> None:
    codebook = Codebook(1, 2).train()
    z = torch.full((1, 2, 4, 4), 3.0, requires_grad=True)
    before = (codebook.embedding.weight - 3).abs().max().item()
    codebook(z).latents.sum().backward()
    assert z.grad is not None
    assert torch.equal(z.grad, torch.ones_like(z))
    for _ in range(500):
        codebook(z.detach())
    assert (codebook.embedding.weight - 3).abs().max().item() < min(before, 0.1)


def test_in_evaluation_the_codebook_stays_as_it_is() -> None:
    codebook = Codebook(4, 2).eval()
    before = codebook.embedding.weight.clone()
    codebook(torch.randn(1, 2, 4, 4))
    assert torch.equal(codebook.embedding.weight, before)


def test_levels_without_a_row_of_parameters_are_refused() -> None:
    with pytest.raises(ConfigError, match="levels"):
        replace(VQGAN, num_channels=(8, 16, 32))
    with pytest.raises(ConfigError, match="strides"):
        replace(VQGAN, downsample_parameters=((0, 4, 1, 1),) * 2)
