from __future__ import annotations

import copy

import pytest
import torch

from models.bs_ldm.fast_networks import KEPT_TIMESTEPS, FastUNet, fast_decoder, round_weights
from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from models.device.graphs import CudaGraphs
from tests.models.bs_ldm.factories import UNET, VQGAN, randomised
from tests.models.device.test_graphs import ReplayedOnCpu


@pytest.fixture
def unet() -> UNet:
    network = randomised(UNet(UNET)).eval()
    assert isinstance(network, UNet)
    return network


def latents(count: int, channels: int = 8) -> torch.Tensor:
    return torch.randn((count, channels, 8, 8), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("graphs", [None, ReplayedOnCpu()])
@pytest.mark.parametrize("count", [1, 3])
@torch.inference_mode()
def test_the_fast_network_gives_what_the_network_gives_at_every_timestep(
    unet: UNet, count: int, graphs: ReplayedOnCpu | None
) -> None:
    fast, plain = FastUNet(copy.deepcopy(unet), graphs), unet
    for t in (950, 3, 950, 0, 999):
        expected = plain(latents(count), torch.full((count,), t))
        torch.testing.assert_close(fast(latents(count), t), expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_what_a_timestep_says_is_computed_once(unet: UNet) -> None:
    fast, calls = FastUNet(unet), []
    unet.time_embed.register_forward_hook(lambda *_: calls.append(1))
    for t in (7, 8, 7, 8, 7):
        fast(latents(1), t)
    assert len(calls) == 2


@torch.inference_mode()
def test_a_thousand_timesteps_are_not_all_kept(unet: UNet) -> None:
    fast = FastUNet(unet)
    films = [fast.film(t) for t in range(KEPT_TIMESTEPS + 20)]
    assert len(fast._films) == KEPT_TIMESTEPS
    assert torch.equal(fast.film(KEPT_TIMESTEPS + 5), films[KEPT_TIMESTEPS + 5])


@torch.inference_mode()
def test_the_fast_decoder_gives_what_the_decoder_gives() -> None:
    vqgan = randomised(Vqgan(VQGAN)).eval()
    assert isinstance(vqgan, Vqgan)
    expected = vqgan.decode(latents(3, 4))
    for graphs in (None, ReplayedOnCpu()):
        found = fast_decoder(copy.deepcopy(vqgan), graphs)(latents(3, 4))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_weights_rounded_once_give_the_bits_of_weights_rounded_at_every_call() -> None:
    vqgan = randomised(Vqgan(VQGAN)).eval()
    assert isinstance(vqgan, Vqgan)
    with torch.autocast("cpu", torch.bfloat16):
        expected = vqgan.decode(latents(1, 4))
        round_weights(vqgan.decoder, torch.bfloat16, but=vqgan.decoder.blocks[-1])
        found = vqgan.decode(latents(1, 4))
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA card")
@torch.inference_mode()
def test_on_a_card_the_fast_network_stays_near_the_float32_one(unet: UNet) -> None:
    plain = copy.deepcopy(unet).cuda()
    fast = FastUNet(unet.cuda(), CudaGraphs())
    for count in (1, 2, 3):
        x = latents(count).cuda()
        expected = plain(x, torch.full((count,), 500, device="cuda"))
        assert (fast(x, 500) - expected).abs().max() < 0.05 * expected.abs().max()
