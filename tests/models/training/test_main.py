from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.bs_ldm.presets import FAST
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.library import installed, load
from models.training.__main__ import COMMANDS, main
from models.training.data import HELD_OUT_PROJECTIONS
from models.training.export import export_bs_ldm
from models.training.latent import lite_config

SIDE = 64


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One pair of 64 x 64."""
    rng = np.random.default_rng(1)
    soft = rng.integers(60, 120, (SIDE, SIDE)).astype(np.uint8)
    bone = (np.arange(SIDE)[:, None] // 8 % 2 * 60).astype(np.uint8)
    for folder, picture in (("cxr", soft + bone), ("soft_tissue", soft)):
        (tmp_path / "data/pairs" / folder).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "data/pairs" / folder / "0.png")
    return tmp_path / "data"


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)


def test_an_exported_bs_ldm_is_loaded_by_the_library(tmp_path: Path) -> None:
    torch.manual_seed(0)
    lite = lite_config(1.5)
    vqgan = VqganConfig(num_channels=(4, 4, 4), num_res_channels=4, num_res_layers=1, num_embeddings=8)
    unet = UNetConfig(8, 4, 32, 1, (1, 1), (2,), 2)
    config = type(lite)(**{**vars(lite), "image_size": SIDE, "vqgan": vqgan, "unet": unet})
    export_bs_ldm(Vqgan(vqgan), UNet(unet), config, {"fast": FAST}, tmp_path / "tiny", "0", "untrained")
    model = load("tiny", [tmp_path], device="cpu")
    steps: list[int] = []
    residual = model.bone_residual(
        torch.zeros(1, 1, SIDE, SIDE), seeds=[1], on_step=lambda step, _total: steps.append(step)
    )
    assert steps == list(range(1, 11))
    assert residual.shape == (1, 1, SIDE, SIDE)


@pytest.mark.slow
def test_the_commands_lead_from_data_to_installed_models(data: Path, tmp_path: Path) -> None:
    (data / "radiographs/site").mkdir(parents=True)
    Image.fromarray(np.full((SIDE, SIDE), 90, np.uint8)).save(data / "radiographs/site/one.png")
    paths = np.random.default_rng(2).random((HELD_OUT_PROJECTIONS + 1, SIDE, SIDE)).astype(np.float16)
    work, into = tmp_path / "work", tmp_path / "installed"
    work.mkdir()
    np.savez(work / "projections.npz", soft=10 * paths, bone=paths)
    common = ["--data", str(data), "--work", str(work), "--pair", "none"]
    for command in ("residual-unet", "autoencoder", "latent"):
        assert main([command, *common, "--steps", "2"]) == 0
    for model in ("residual-unet", "bs-ldm-lite"):
        assert main(["export", model, *common, "--into", str(into), "--note", "two steps"]) == 0
    names = {manifest.name: manifest.architecture for manifest in installed([into]) if manifest.folder.parent == into}
    assert names == {"residual-unet": "residual-unet", "bs-ldm-lite": "bs-ldm"}
