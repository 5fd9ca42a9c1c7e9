from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError, OutputError
from models.library import load_manifest
from models.manifest import Manifest, read_manifest
from models.residual_unet.config import ResidualUNetSetup, read_config
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.residual_unet.predict import shared_out
from models.training.export import write_model
from models.training.objectives.residual_unet import installable

SETUP = ResidualUNetSetup(ResidualUNetConfig((8, 8), 1, 64), gain=1.25, slow_share=0.5)


@pytest.fixture
def network() -> ResidualUNet:
    torch.manual_seed(3)
    network = ResidualUNet(SETUP.network)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval().requires_grad_(False)


@pytest.fixture
def manifest(network: ResidualUNet, tmp_path: Path) -> Manifest:
    write_model(installable(network, SETUP), tmp_path / "tiny", version="0.1", note="random weights")
    return read_manifest(tmp_path / "tiny")


def test_an_exported_network_gives_the_residual_of_the_network(manifest: Manifest, network: ResidualUNet) -> None:
    cxr = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(4)) * 2 - 1
    suppressor = load_manifest(manifest, device="cpu")
    steps: list[tuple[int, int]] = []
    residual = suppressor.bone_residual(cxr, seeds=[0], on_step=lambda step, total: steps.append((step, total)))
    assert steps == [(1, 1)]
    assert residual.shape == (1, 1, 64, 64)
    torch.testing.assert_close(residual, shared_out(network(cxr), SETUP), atol=5e-3, rtol=5e-2)


def test_the_identity_says_one_pass(manifest: Manifest) -> None:
    identity = load_manifest(manifest, device="cpu").identity
    assert (identity.name, identity.architecture) == ("tiny", "residual-unet")
    assert (identity.sampler, identity.steps, identity.precision) == ("one-pass", 1, "float32")
    assert identity.sha256 == manifest.sha256


def test_what_a_deadline_raises_comes_through(manifest: Manifest) -> None:
    def late(_step: int, _total: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        load_manifest(manifest, device="cpu").bone_residual(torch.zeros(1, 1, 64, 64), seeds=[0], on_step=late)


def test_a_radiograph_of_another_size_is_refused(manifest: Manifest) -> None:
    suppressor = load_manifest(manifest, device="cpu")
    with pytest.raises(OutputError, match="64"):
        suppressor.bone_residual(torch.zeros(1, 1, 32, 32), seeds=[0], on_step=lambda _step, _total: None)


def test_one_pass_cannot_take_more_steps(manifest: Manifest) -> None:
    with pytest.raises(ConfigError, match="cannot run in 5 steps"):
        load_manifest(manifest, steps=5, device="cpu")


def test_the_configuration_survives_the_manifest(manifest: Manifest) -> None:
    assert read_config(manifest) == SETUP


def test_an_unknown_configuration_field_is_refused(manifest: Manifest) -> None:
    with pytest.raises(ConfigError, match="unknown fields"):
        read_config(replace(manifest, config={**manifest.config, "gamma": 2}))


def test_a_slow_share_of_nothing_leaves_no_level_in_the_residual() -> None:
    setup = replace(SETUP, gain=1.0, slow_share=0.0)
    assert float(shared_out(torch.full((1, 1, 64, 64), 0.3), setup).abs().max()) < 1e-6


def test_an_image_of_a_batch_comes_out_as_it_does_alone(manifest: Manifest) -> None:
    cxr = torch.rand((3, 1, 64, 64), generator=torch.Generator().manual_seed(4)) * 2 - 1
    suppressor = load_manifest(manifest, device="cpu")
    together = suppressor.bone_residual(cxr, seeds=[0, 1, 2], on_step=lambda _step, _total: None)
    alone = [suppressor.bone_residual(cxr[i : i + 1], seeds=[i], on_step=lambda _step, _total: None) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)
