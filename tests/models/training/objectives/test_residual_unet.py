from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.library import load_manifest
from models.manifest import read_manifest
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.residual_unet.predict import WEIGHTS_FILE
from models.training.batches import Mixture
from models.training.export import write_model
from models.training.objectives.residual_unet import (
    NETWORK,
    ResidualUNetObjective,
    installable,
    make_objective,
    read_start,
)

from ..synthetic import synthetic_data
from .factories import phantom_task, train

SMALL = ResidualUNetConfig(channels=(8, 12), image_size=64)


def installed(folder: Path, config: ResidualUNetConfig = SMALL) -> ResidualUNet:
    """A model with a head that does something, in `folder`."""
    torch.manual_seed(4)
    network = ResidualUNet(config)
    torch.nn.init.normal_(network.head.weight, std=0.05)
    model = installable(network, ResidualUNetSetup(config, 1.0, 1.0))
    write_model(model, folder, version="1", note="a test", replace=True)
    return network


def configured(**fields: object) -> ResidualUNetObjective:
    values = {"channels": [8, 12], **fields}
    return make_objective(JsonFields(values, "residual-unet"), phantom_task(side=32))


def test_it_learns_to_see_bone(tmp_path: Path) -> None:
    task = phantom_task(data=synthetic_data(), mixture=Mixture(2, 0, 0), side=32)
    objective = ResidualUNetObjective(ResidualUNetSetup(SMALL, 1.0, 1.0), task)
    batch = objective.draw(0)
    before = float(objective.losses(NETWORK, batch, 0)["residual"].detach())
    train(objective, tmp_path, 80, learning_rate=5e-3)
    assert float(objective.losses(NETWORK, batch, 0)["residual"].detach()) < 0.7 * before


def test_it_learns_where_bone_is_from_images_that_tell(tmp_path: Path) -> None:
    task = phantom_task(data=synthetic_data(), mixture=Mixture(1, 1, 1, 1), side=32, augment=True)
    objective = ResidualUNetObjective(ResidualUNetSetup(replace(SMALL, bone_map=True), 1.0, 1.0), task)
    batch = objective.draw(0)
    before = objective.losses(NETWORK, batch, 0)
    assert set(before) == {"residual", "bone", "detail", "nodules", "map"}
    train(objective, tmp_path, 60, learning_rate=5e-3)
    assert float(objective.losses(NETWORK, batch, 0)["map"].detach()) < 0.9 * float(before["map"].detach())


def test_of_a_difference_the_change_alone_is_judged(tmp_path: Path) -> None:
    task = phantom_task(data=synthetic_data(), mixture=Mixture(0, 0, 0, differences=3), side=32, augment=True)
    installed(tmp_path / "model")
    objective = ResidualUNetObjective(ResidualUNetSetup(SMALL, 1.0, 1.0), task, read_start(str(tmp_path / "model")))
    batch = objective.draw(1)
    with torch.no_grad():
        changed = objective.networks[NETWORK](batch.cxr) - objective.networks[NETWORK](batch.before)
    right = replace(batch, residual=changed)
    assert float(objective.losses(NETWORK, right, 0)["residual"]) == pytest.approx(0, abs=1e-5)
    assert float(objective.losses(NETWORK, batch, 0)["residual"].detach()) > 1e-4


def test_a_training_starts_from_the_model_it_names(tmp_path: Path) -> None:
    network = installed(tmp_path / "model")
    objective = configured(start=str(tmp_path / "model"))
    for mine, theirs in zip(objective.networks[NETWORK].parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-2)
    assert set(objective.inputs()) == {"start"}


def test_the_map_of_bone_may_be_new(tmp_path: Path) -> None:
    network = installed(tmp_path / "model")
    objective = configured(start=str(tmp_path / "model"), bone_map=True)
    cxr = torch.rand((1, 1, 32, 32)) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(objective.networks[NETWORK](cxr), network(cxr), atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("blend", [0.0, 0.5, 1.0])
def test_what_was_tuned_is_blended_with_what_it_started_from(tmp_path: Path, blend: float) -> None:
    network = installed(tmp_path / "model")
    objective = configured(start=str(tmp_path / "model"), blend=blend)
    tuned = ResidualUNet(SMALL)
    for parameter in tuned.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    state = objective.model({NETWORK: tuned}).files[WEIGHTS_FILE]
    expected = (1 - blend) * network.head.weight + blend * 0.5
    torch.testing.assert_close(state["head.weight"], expected.detach(), atol=1e-3, rtol=1e-2)


def test_a_blend_without_a_start_and_a_start_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs the model"):
        configured(blend=0.5)
    installed(tmp_path / "model")
    with pytest.raises(ConfigError, match="another size"):
        make_objective(
            JsonFields({"channels": [8, 16], "start": str(tmp_path / "model")}, "residual-unet"), phantom_task(side=32)
        )
    with pytest.raises(ConfigError, match="expected a residual-unet model"):
        read_start("bs-ldm-lite")


def test_a_model_with_a_map_of_bone_is_run_by_its_manifest(tmp_path: Path) -> None:
    network = installed(tmp_path / "mapped", replace(SMALL, bone_map=True))
    suppressor = load_manifest(read_manifest(tmp_path / "mapped"), device="cpu")
    cxr = torch.rand((1, 1, 64, 64)) * 2 - 1
    residual = suppressor.bone_residual(cxr, seeds=[0], on_step=lambda _step, _total: None)
    assert residual.shape == network(cxr).shape
