from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.bs_ldm.unet import AttentionBlock, AttentionOrder, UNet, UNetConfig, timestep_embedding
from models.errors import ConfigError
from tests.models.bs_ldm.factories import UNET, randomised


def shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def digest(named: dict[str, list[int]]) -> str:
    return hashlib.sha256(json.dumps(sorted(named.items())).encode()).hexdigest()


def full() -> UNet:
    with torch.device("meta"):
        return UNet(UNetConfig())


def test_the_full_network_has_the_published_number_of_parameters_and_allocates_nothing() -> None:
    network = full()
    assert sum(parameter.numel() for parameter in network.parameters()) == 382_978_184
    assert all(parameter.is_meta for parameter in network.parameters())


def test_the_full_network_has_the_published_names_and_shapes_by_digest() -> None:
    named = shapes(full())
    assert len(named) == 1574
    assert digest(named) == "cc3b0c25db5cb183a45f02fb091d3d169bcf7acb62dadba1de50d10eaadf5079"


def test_the_full_network_has_the_recorded_names_and_shapes_in_order(shared: Path) -> None:
    recorded = json.loads((shared / "parity" / "unet_full_keys.json").read_text())
    assert list(shapes(full()).items()) == list(recorded.items())


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (2, 4)])
def test_output_has_the_input_size_and_the_configured_channels(size: tuple[int, int]) -> None:
    network = randomised(UNet(replace(UNET, out_channels=4)))
    assert network(torch.randn(2, 8, *size), torch.tensor([0, 999])).shape == (2, 4, *size)


def test_a_fresh_network_predicts_zero() -> None:
    assert UNet(UNET)(torch.randn(1, 8, 4, 4), torch.tensor([5])).abs().max() == 0


def test_the_timestep_changes_the_output() -> None:
    network, x = randomised(UNet(UNET)), torch.randn(1, 8, 4, 4)
    assert not torch.allclose(network(x, torch.tensor([1])), network(x, torch.tensor([900])))


@pytest.mark.parametrize("order", list(AttentionOrder))
def test_attention_equals_the_formula_written_out_head_by_head(order: AttentionOrder) -> None:
    channels, heads, width = 32, 4, 8
    block = AttentionBlock(channels, heads, order)
    randomised(block)
    x = torch.randn(2, channels, 3, 5)
    flat = x.flatten(2)
    qkv = block.qkv(block.norm(flat))
    merged = torch.empty_like(flat)
    for head in range(heads):
        if order is AttentionOrder.LEGACY:
            start = head * 3 * width
            q, k, v = (qkv[:, start + i * width : start + (i + 1) * width] for i in range(3))
        else:
            q, k, v = (qkv[:, i * channels + head * width : i * channels + (head + 1) * width] for i in range(3))
        weights = F.softmax(torch.einsum("nct,ncs->nts", q, k) / width**0.5, dim=-1)
        merged[:, head * width : (head + 1) * width] = torch.einsum("nts,ncs->nct", weights, v)
    torch.testing.assert_close(block(x), (flat + block.proj_out(merged)).view_as(x))


def test_the_timestep_embedding_holds_cosines_then_sinusoids() -> None:
    embedding = timestep_embedding(torch.tensor([0, 7]), 64)
    assert embedding.shape == (2, 64)
    assert torch.equal(embedding[0], torch.cat([torch.ones(32), torch.zeros(32)]))
    assert embedding[1, 32] == pytest.approx(torch.tensor(7.0).sin().item())


@pytest.mark.parametrize(
    "wrong", [{"model_channels": 40}, {"num_heads": 0}, {"num_heads": 7}, {"channel_mult": ()}, {"num_res_blocks": 0}]
)
def test_an_impossible_size_is_refused_with_a_reason(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="unet"):
        replace(UNET, **wrong)  # type: ignore[arg-type]
