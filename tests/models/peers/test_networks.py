from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.errors import ConfigError
from models.peers.config import ARCHITECTURES, PeerConfig, PeerSetup, build
from models.peers.gusarev import GusarevConfig
from models.peers.mca_net import McaNet, McaNetConfig
from models.peers.resnet_bs import ResNetBs, ResNetBsConfig, ScaledBlock
from tests.models.peers.factories import TINY, tiny_network


@pytest.fixture
def cxr() -> Tensor:
    return torch.rand((3, 1, 32, 48), generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_soft_tissue_image_has_the_radiographs_shape_and_range(architecture: str, cxr: Tensor) -> None:
    soft = tiny_network(architecture)(cxr)
    assert soft.shape == cxr.shape
    assert soft.dtype == torch.float32
    assert float(soft.detach().abs().max()) <= 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_gets_a_gradient(architecture: str, cxr: Tensor) -> None:
    network = tiny_network(architecture)
    (network(cxr) - cxr).square().mean().backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    # A bias before an instance normalisation is taken away again by it.
    assert all(name.endswith(".0.bias") for name in still)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_image_does_not_see_its_batch(architecture: str, cxr: Tensor) -> None:
    network = tiny_network(architecture)
    alone = torch.cat([network(cxr[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(network(cxr), alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        # 5·5·(1·16 + 16·32 + 32·64) weights each way; biases 16 + 32 + 64 and 32 + 16 + 1
        ("peer-gusarev", 2 * 25 * (16 + 16 * 32 + 32 * 64) + 112 + 49),
        # head, 16 · 2 + 1 convolutions of 64 to 64, tail
        ("peer-resnet-bs", (9 * 64 + 64) + 33 * (9 * 64 * 64 + 64) + (9 * 64 + 1)),
    ],
)
def test_the_default_size_is_the_published_one(architecture: str, parameters: int) -> None:
    default: dict[str, PeerConfig] = {"peer-gusarev": GusarevConfig(), "peer-resnet-bs": ResNetBsConfig()}
    assert sum(weight.numel() for weight in build(default[architecture]).parameters()) == parameters


def test_a_scaled_block_adds_a_tenth_of_its_residual() -> None:
    torch.manual_seed(1)
    block = ScaledBlock(3, 1.0)
    x = torch.randn(1, 3, 8, 8)
    whole = block(x) - x
    block.scaling = 0.1
    torch.testing.assert_close(block(x) - x, 0.1 * whole, atol=1e-6, rtol=1e-4)


def test_resnet_bs_pools_and_normalises_nothing() -> None:
    kinds = {type(module) for module in ResNetBs(ResNetBsConfig(4, 2)).modules()}
    assert kinds == {ResNetBs, nn.Sequential, nn.Conv2d, ScaledBlock}


def test_the_fine_scale_of_mca_net_sees_the_coarse_one(cxr: Tensor) -> None:
    network = tiny_network("peer-mca-net")
    assert isinstance(network, McaNet)
    coarse, fine = network.scales(cxr)
    assert coarse.shape == (3, 1, 16, 24)
    torch.testing.assert_close(network(cxr), fine)
    fine.mean().backward()  # type: ignore[no-untyped-call]
    assert network.coarse.stem.weight.grad is not None
    assert bool(network.coarse.stem.weight.grad.any())


@pytest.mark.parametrize(
    "make",
    [
        lambda: GusarevConfig(channels=()),
        lambda: GusarevConfig(kernel=4),
        lambda: ResNetBsConfig(blocks=0),
        lambda: ResNetBsConfig(scaling=0.0),
        lambda: McaNetConfig(channels=(8, 8)),
        lambda: PeerSetup(TINY["peer-gusarev"], 34),
        lambda: PeerSetup(McaNetConfig(), 16),
    ],
)
def test_a_size_that_cannot_be_is_refused(make: type) -> None:
    with pytest.raises(ConfigError):
        make()
