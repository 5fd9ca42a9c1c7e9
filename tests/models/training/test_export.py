from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.bs_ldm.config import BsLdmConfig, Target
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.bs_ldm.presets import FAST
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.errors import ConfigError, WeightsError
from models.library import find, load, model_folders
from models.manifest import Manifest
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.schedules import Prediction
from models.training.engine.objective import Installable
from models.training.export import write_model
from models.training.objectives.residual_unet import installable

SIDE = 64
SETUP = ResidualUNetSetup(ResidualUNetConfig((8, 8), 1, SIDE), gain=1.0, slow_share=1.0)


def write(folder: Path, *, version: str = "1", replace: bool = False) -> Manifest:
    return write_model(
        installable(ResidualUNet(SETUP.network), SETUP), folder, version=version, note="untrained", replace=replace
    )


def test_an_exported_bs_ldm_is_loaded_by_the_library(tmp_path: Path) -> None:
    vqgan = VqganConfig(num_channels=(4, 4, 4), num_res_channels=4, num_res_layers=1, num_embeddings=8)
    unet = UNetConfig(8, 4, 32, 1, (1, 1), (2,), 2)
    config = BsLdmConfig(SIDE, Prediction.X0, Target.BONE, latent_scale=1.5, unet=unet, vqgan=vqgan)
    torch.manual_seed(0)
    files = {VQGAN_FILE: Vqgan(vqgan).state_dict(), UNET_FILE: UNet(unet).state_dict()}
    model = Installable("bs-ldm", config.to_json(), {"fast": FAST}, files)
    write_model(model, tmp_path / "tiny", version="0", note="untrained")
    loaded = load("tiny", [tmp_path], device="cpu")
    steps: list[int] = []
    residual = loaded.bone_residual(
        torch.zeros(1, 1, SIDE, SIDE), seeds=[1], on_step=lambda step, _total: steps.append(step)
    )
    assert steps == list(range(1, FAST.steps + 1))
    assert residual.shape == (1, 1, SIDE, SIDE)


def test_a_model_that_is_there_is_replaced_only_when_asked_and_its_card_stays(tmp_path: Path) -> None:
    write(tmp_path / "ours")
    (tmp_path / "ours/MODEL_CARD.md").write_text("about it", encoding="utf-8")
    with pytest.raises(WeightsError, match="found one"):
        write(tmp_path / "ours", version="2")
    assert find("ours", [tmp_path]).version == "1"
    assert write(tmp_path / "ours", version="2", replace=True).version == "2"
    assert (tmp_path / "ours/MODEL_CARD.md").read_text(encoding="utf-8") == "about it"


def test_the_shipped_models_are_written_in_place(tmp_path: Path) -> None:
    for version in ("1", "2"):
        assert write(tmp_path / "one", version=version, replace=True).folder == tmp_path / "one"
        assert (tmp_path / "one/manifest.json").is_file()
    assert find("one", [tmp_path]).version == "2"


@pytest.mark.parametrize("name", ["Ours", "our model", ".hidden", "-x"])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name must match"):
        write(tmp_path / name)


def test_a_model_that_could_not_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr("models.training.export.save_tensors", full)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path / "ours")
    assert list(tmp_path.iterdir()) == []
    assert [folder for folder in model_folders([tmp_path]) if folder.parent == tmp_path] == []
