from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import WeightsError
from models.weights_admin import list_models, verify_model
from tests.models.bs_ldm.factories import install_model


def test_installed_models_are_listed_with_their_size_and_broken_ones_with_the_reason(tmp_path: Path) -> None:
    good = install_model(tmp_path, "good")
    (install_model(tmp_path, "broken").folder / "manifest.json").write_text("{")
    models = {model.name: model for model in list_models([tmp_path])}
    assert models["good"].manifest is not None
    assert models["good"].size_bytes == sum(path.stat().st_size for path in good.folder.iterdir())
    assert not models["good"].is_default
    assert models["broken"].manifest is None
    assert "not JSON" in models["broken"].fault


def test_every_file_is_verified_and_the_altered_and_the_missing_one_are_told_apart(tmp_path: Path) -> None:
    folder = install_model(tmp_path).folder
    assert all(check.ok for check in verify_model("small", [tmp_path]))
    (folder / "unet.safetensors").write_bytes(b"other")
    (folder / "vqgan.safetensors").unlink()
    checks = {check.file: check for check in verify_model("small", [tmp_path])}
    assert not checks["unet.safetensors"].ok
    assert checks["unet.safetensors"].found_sha256
    assert not checks["vqgan.safetensors"].ok
    assert checks["vqgan.safetensors"].found_sha256 == ""


def test_a_model_that_is_not_installed_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nothing-here"):
        verify_model("nothing-here", [tmp_path])
