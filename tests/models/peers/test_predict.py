from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError, OutputError, WeightsError
from models.library import load_manifest
from models.peers.config import ARCHITECTURES, PeerSetup, read_config
from tests.models.peers.factories import SIZE, TINY, install_peer, tiny_network


def no_step(_step: int, _total: int) -> None:
    return


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_bone_is_what_the_prediction_lacks_of_the_radiograph(architecture: str, tmp_path: Path) -> None:
    cxr = torch.rand((1, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(4)) * 2 - 1
    suppressor = load_manifest(install_peer(tmp_path, architecture), device="cpu")
    steps: list[tuple[int, int]] = []
    bone = suppressor.bone_residual(cxr, seeds=[0], on_step=lambda step, total: steps.append((step, total)))
    assert steps == [(1, 1)]
    assert bone.dtype == torch.float32
    torch.testing.assert_close(cxr - bone, tiny_network(architecture)(cxr).detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_image_of_a_batch_comes_out_as_it_does_alone(architecture: str, tmp_path: Path) -> None:
    cxr = torch.rand((3, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(4)) * 2 - 1
    suppressor = load_manifest(install_peer(tmp_path, architecture), device="cpu")
    together = suppressor.bone_residual(cxr, seeds=[0, 1, 2], on_step=no_step)
    alone = [suppressor.bone_residual(cxr[i : i + 1], seeds=[7], on_step=no_step) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_configuration_survives_the_manifest(architecture: str, tmp_path: Path) -> None:
    setup = read_config(install_peer(tmp_path, architecture))
    assert setup == PeerSetup(TINY[architecture], SIZE)
    assert setup.architecture == architecture


def test_the_identity_says_one_pass(tmp_path: Path) -> None:
    manifest = install_peer(tmp_path, "peer-gusarev")
    identity = load_manifest(manifest, device="cpu").identity
    assert (identity.name, identity.architecture) == ("peer-gusarev", "peer-gusarev")
    assert (identity.sampler, identity.steps, identity.sha256) == ("one-pass", 1, manifest.sha256)


def test_an_unknown_configuration_field_is_refused(tmp_path: Path) -> None:
    manifest = install_peer(tmp_path, "peer-resnet-bs")
    with pytest.raises(ConfigError, match="unknown fields"):
        read_config(replace(manifest, config={**manifest.config, "gamma": 2}))


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    manifest = install_peer(tmp_path, "peer-resnet-bs")
    with pytest.raises(WeightsError, match="another shape"):
        load_manifest(replace(manifest, config={**manifest.config, "channels": 5}), device="cpu")


def test_a_radiograph_of_another_size_is_refused(tmp_path: Path) -> None:
    suppressor = load_manifest(install_peer(tmp_path, "peer-mca-net"), device="cpu")
    with pytest.raises(OutputError, match=str(SIZE)):
        suppressor.bone_residual(torch.zeros(1, 1, 64, 64), seeds=[0], on_step=no_step)


def test_one_pass_cannot_take_more_steps(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot run in 5 steps"):
        load_manifest(install_peer(tmp_path, "peer-gusarev"), steps=5, device="cpu")
