from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models import library
from models.errors import ConfigError, DeviceError, WeightsError, WeightsFault
from tests.models.bs_ldm.factories import install_model, no_step, radiograph


@pytest.fixture(autouse=True)
def builtin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped folder of our own, with a default in it."""
    folder = tmp_path / "builtin"
    install_model(folder, "shipped")
    (folder / "default.json").write_text('{"model": "shipped"}')
    monkeypatch.setattr(library, "BUILTIN_WEIGHTS_DIR", folder)
    return folder


def test_a_model_is_loaded_by_name_and_runs(tmp_path: Path) -> None:
    install_model(tmp_path / "own", "mine")
    model = library.load("mine", [tmp_path / "own"], preset="fast", steps=2, device="cpu")
    assert (model.identity.name, model.identity.steps, model.image_size) == ("mine", 2, 32)
    assert model.bone_residual(radiograph(), seeds=[0], on_step=no_step).shape == (1, 1, 32, 32)


def test_no_name_means_the_shipped_default() -> None:
    assert library.load(device="cpu").identity.name == "shipped"


def test_the_operators_model_hides_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    own = install_model(tmp_path / "own", "shipped", image_size=64)
    assert library.find("shipped", [tmp_path / "own"]).folder == own.folder
    assert [manifest.folder for manifest in library.installed([tmp_path / "own"])] == [own.folder]


def test_an_unknown_name_is_missing_and_the_known_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'other', found shipped") as caught:
        library.load("other", [tmp_path / "nowhere"])
    assert caught.value.code == WeightsFault.MISSING


@pytest.mark.parametrize("name", ["../builtin/shipped", "/etc", "."])
def test_a_name_cannot_reach_another_folder(name: str) -> None:
    with pytest.raises(WeightsError):
        library.find(name)


def test_altered_weights_are_refused_at_load(builtin: Path) -> None:
    path = builtin / "shipped" / "unet.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(WeightsError) as caught:
        library.load(device="cpu")
    assert caught.value.code == WeightsFault.ALTERED


def test_a_missing_weight_file_is_refused_at_load(builtin: Path) -> None:
    (builtin / "shipped" / "vqgan.safetensors").unlink()
    with pytest.raises(WeightsError) as caught:
        library.load(device="cpu")
    assert caught.value.code == WeightsFault.MISSING


def test_a_broken_model_beside_it_does_not_keep_another_from_loading(builtin: Path) -> None:
    install_model(builtin, "broken")
    (builtin / "broken" / "manifest.json").write_text("{")
    assert library.load(device="cpu").identity.name == "shipped"
    with pytest.raises(ConfigError):
        library.installed()


def test_an_architecture_of_a_later_version_is_named(builtin: Path) -> None:
    path = builtin / "shipped" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architecture": "flow-3"}))
    with pytest.raises(ConfigError, match="'flow-3' is not known"):
        library.load(device="cpu")


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(DeviceError, match=device):
        library.load(device=device)


def test_auto_takes_cuda_only_where_it_is_present() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert library.load(device="auto").identity.device.startswith(expected)


def test_the_shipped_default_is_one_of_the_shipped_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert library.find().folder.parent == library.BUILTIN_WEIGHTS_DIR
