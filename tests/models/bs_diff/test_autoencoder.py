from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.bs_diff.autoencoder import Autoencoder, AutoencoderConfig, Latents
from models.errors import ConfigError
from tests.models.bs_diff.factories import AUTOENCODER, small_autoencoder
from tests.models.bs_diff.test_unet import shapes


def full() -> Autoencoder:
    with torch.device("meta"):
        return Autoencoder(AutoencoderConfig())


def test_the_full_network_has_the_published_number_of_parameters_names_and_shapes() -> None:
    network = full()
    assert sum(parameter.numel() for parameter in network.parameters()) == 34_449_889
    named = json.dumps(sorted(shapes(network).items())).encode()
    assert hashlib.sha256(named).hexdigest() == "7f546e67e28b1c0f7483567bac842f6efd2936b5727b153b69214ae89b74f7d0"


def test_the_full_network_has_the_recorded_names_and_shapes(shared: Path) -> None:
    assert shapes(full()) == json.loads((shared / "parity" / "bsdiff_autoencoder_full_keys.json").read_text())


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_latent_has_the_strides_side_and_the_result_the_images_size(levels: int) -> None:
    config = replace(AUTOENCODER, num_channels=(32, 64, 32)[:levels], attention_levels=(False, True, True)[:levels])
    network, image = small_autoencoder(config), torch.randn(2, 1, 16, 8)
    latents = network.encode(image)
    assert latents.mean.shape == latents.log_variance.shape == (2, 4, 16 // config.stride, 8 // config.stride)
    assert network(image).shape == image.shape


def test_the_result_is_the_decoded_mean_and_never_random() -> None:
    network, image = small_autoencoder().train(), torch.randn(1, 1, 8, 8)
    before = torch.get_rng_state()
    assert torch.equal(network(image), network.decode(network.encode(image).mean))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sample_lies_its_noise_times_sigma_away_from_the_mean() -> None:
    latents = Latents(torch.full((1, 1, 1, 2), 3.0), torch.tensor([0.0, 2.0]).view(1, 1, 1, 2).log() * 2)
    assert latents.sample(torch.zeros(1, 1, 1, 2)).tolist() == [[[[3.0, 3.0]]]]
    assert torch.allclose(latents.sample(torch.ones(1, 1, 1, 2))[..., 1], torch.tensor(5.0))


def test_no_variance_can_overflow() -> None:
    network = small_autoencoder()
    weight = network.quant_conv_log_sigma.conv.weight
    torch.nn.init.constant_(weight[0], 1e30)
    torch.nn.init.constant_(weight[1:], -1e30)  # of the opposite sign, whatever the image
    log_variance = network.encode(torch.randn(1, 1, 8, 8)).log_variance.detach()
    assert (float(log_variance.min()), float(log_variance.max())) == (-30.0, 20.0)


def test_every_parameter_learns_but_the_projections_that_are_never_applied() -> None:
    network, image = small_autoencoder(), torch.randn(1, 1, 8, 8)
    latents = network.encode(image)
    network.decode(latents.sample(torch.randn_like(latents.mean))).square().mean().backward()
    still = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert still == {name for name, _ in network.named_parameters() if ".proj_attn." in name}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_channels": (), "attention_levels": ()}, "must not be empty"),
        ({"latent_channels": 0}, "latent_channels"),
        ({"attention_levels": (True,)}, "attention_levels"),
        ({"num_channels": (32, 40)}, "multiples"),
    ],
)
def test_a_size_that_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(AUTOENCODER, **wrong)  # type: ignore[arg-type]
