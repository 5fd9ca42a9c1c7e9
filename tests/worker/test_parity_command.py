from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.bs_ldm.config import Target
from models.manifest import Manifest, Preset, write_manifest
from models.parity_record import read_parity
from models.schedules import Prediction
from service.errors import PermanentError
from service.settings import Settings
from tests.models.bs_ldm.factories import install_model
from worker import parity_command


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(weights_dir=tmp_path / "weights", device="cpu")


def install(settings: Settings, *, reference: Preset, constant: bool = False) -> Manifest:
    """A small model with a reference of few steps; `constant`: one whose every estimate is that of no bone."""
    assert settings.weights_dir is not None
    manifest = install_model(settings.weights_dir, prediction=Prediction.X0, target=Target.BONE)
    if constant:
        from models.bs_ldm.predict import UNET_FILE
        from models.checkpoint import load_tensors, save_tensors

        tensors = load_tensors(*manifest.file(UNET_FILE))
        zeroed = {name: torch.zeros_like(t) if name.startswith("out.2.") else t for name, t in tensors.items()}
        sha256 = save_tensors(zeroed, manifest.folder / UNET_FILE)
        manifest = replace(manifest, files={**manifest.files, UNET_FILE: sha256})
    manifest = replace(manifest, presets={**manifest.presets, "reference": reference})
    write_manifest(manifest)
    return manifest


def run(settings: Settings, **arguments: object) -> None:
    parity_command.run(settings, **{"name": "small", "seeds": [0], "pairs": None, "images": 1, **arguments})  # type: ignore[arg-type]


def test_a_model_whose_steps_do_not_matter_passes_and_is_recorded(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = install(settings, reference=Preset("dpm-solver++2m", 40, 950), constant=True)
    run(settings, seeds=[0, 3], images=1)
    record = read_parity(manifest.folder)
    assert record is not None
    assert record.passed
    assert (record.model_sha256, record.fast.steps, record.reference.steps) == (manifest.sha256, 10, 40)
    assert (record.images, record.image_count, record.seeds) == ("phantom", 1, (0, 3))
    shown = capsys.readouterr().out
    assert "phantom 7, seed 3" in shown
    assert "mean: passed" in shown


def test_a_model_whose_steps_matter_does_not_pass_and_that_is_recorded_too(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = install(settings, reference=Preset("dpm-solver++2m", 2, 20))
    with pytest.raises(PermanentError) as caught:
        run(settings)
    assert caught.value.code == "PARITY_FAILED"
    record = read_parity(manifest.folder)
    assert record is not None
    assert not record.passed
    assert "NOT passed" in capsys.readouterr().out


def test_pairs_of_a_folder_take_the_phantoms_place(settings: Settings, tmp_path: Path) -> None:
    manifest = install(settings, reference=Preset("dpm-solver++2m", 2, 950), constant=True)
    rng = np.random.default_rng(0)
    for kind in ("cxr", "soft_tissue"):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for name in ("a", "b", "c"):
            grey = rng.integers(0, 255, (48, 40)).astype(np.uint8)
            Image.fromarray(grey).save(tmp_path / "pairs" / kind / f"{name}.png")
    run(settings, pairs=tmp_path / "pairs", images=2)
    record = read_parity(manifest.folder)
    assert record is not None
    assert record.image_count == 2
    assert record.images != "phantom"


def test_a_one_pass_model_has_nothing_to_compare(settings: Settings) -> None:
    with pytest.raises(PermanentError) as caught:
        run(settings, name="residual-unet")
    assert caught.value.code == "NOTHING_TO_COMPARE"
