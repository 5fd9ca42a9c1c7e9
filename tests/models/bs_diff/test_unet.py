from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from models.bs_diff.unet import UNet, UNetConfig
from models.errors import ConfigError
from tests.models.bs_diff.factories import UNET, small_unet


def shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def full() -> UNet:
    with torch.device("meta"):
        return UNet(UNetConfig())


def test_the_full_network_has_the_published_number_of_parameters_names_and_shapes() -> None:
    network = full()
    assert sum(parameter.numel() for parameter in network.parameters()) == 220_237_762
    named = json.dumps(sorted(shapes(network).items())).encode()
    assert hashlib.sha256(named).hexdigest() == "c24f73911047443adc996a192fb621ca9c7057a48c33c1201765fb59eb9942f6"


def test_the_full_network_has_the_recorded_names_and_shapes(shared: Path) -> None:
    assert shapes(full()) == json.loads((shared / "parity" / "bsdiff_unet_full_keys.json").read_text())


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (2, 4)])
def test_output_has_the_input_size_and_the_configured_channels(size: tuple[int, int]) -> None:
    network = small_unet(replace(UNET, out_channels=1))
    assert network(torch.randn(2, 2, *size), torch.tensor([0, 999])).shape == (2, 1, *size)


def test_a_fresh_network_predicts_zero() -> None:
    assert UNet(UNET)(torch.randn(1, 2, 4, 4), torch.tensor([5])).abs().max() == 0


def test_each_image_has_its_own_timestep() -> None:
    network, x = small_unet(), torch.randn(2, 2, 8, 8)
    both = network(x, torch.tensor([1, 900]))
    for i, t in enumerate((1, 900)):
        assert torch.allclose(both[i : i + 1], network(x[i : i + 1], torch.tensor([t])), atol=1e-5)
    assert not torch.allclose(both[1:], network(x[1:], torch.tensor([1])), atol=1e-3)


def test_the_radiograph_in_the_second_channel_takes_part() -> None:
    network, x = small_unet(), torch.randn(1, 2, 8, 8)
    other = x.clone()
    other[:, 1] = 0
    assert not torch.allclose(network(x, torch.tensor([9])), network(other, torch.tensor([9])), atol=1e-3)


def test_every_parameter_learns_but_the_projections_that_are_never_applied() -> None:
    network = small_unet()
    network(torch.randn(1, 2, 8, 8), torch.tensor([7])).square().mean().backward()
    still = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert still == {name for name, _ in network.named_parameters() if ".proj_attn." in name}
    # A bias of the keys adds the same to every product, and softmax does not see it.
    seen = [parameter for name, parameter in network.named_parameters() if not name.endswith("to_k.bias")]
    assert all(parameter.grad is None or parameter.grad.abs().max() > 0 for parameter in seen)


def test_the_order_of_the_skips_is_last_in_first_out() -> None:
    """Three levels of different widths only fit together in that order; a wrong one cannot run."""
    config = replace(
        UNET,
        num_channels=(32, 64, 96),
        attention_levels=(False, True, True),
        num_head_channels=(0, 32, 96),
        num_res_blocks=2,
    )
    assert small_unet(config)(torch.randn(1, 2, 8, 8), torch.tensor([3])).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_channels": ()}, "must not be empty"),
        ({"num_res_blocks": 0}, "num_res_blocks"),
        ({"attention_levels": (True,)}, "attention_levels"),
        ({"num_head_channels": (0,)}, "num_head_channels"),
        ({"num_channels": (32, 40)}, "multiples"),
        ({"num_head_channels": (0, 48)}, "heads of 48"),
        ({"num_head_channels": (0, 0)}, "heads of 0"),
        ({"attention_levels": (False, False), "num_head_channels": (0, 0)}, "heads of 0"),
    ],
)
def test_a_size_that_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(UNET, **wrong)  # type: ignore[arg-type]
