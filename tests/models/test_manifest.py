from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.errors import ConfigError, WeightsError, WeightsFault
from models.manifest import Manifest, read_manifest
from tests.models.bs_ldm.factories import install_model


def rewritten(folder: Path, **overrides: object) -> Path:
    manifest = install_model(folder)
    path = manifest.folder / "manifest.json"
    value = json.loads(path.read_text()) | overrides
    path.write_text(json.dumps({key: item for key, item in value.items() if item is not None}))
    return manifest.folder


def test_a_written_manifest_is_read_back_with_the_same_digest(tmp_path: Path) -> None:
    written = install_model(tmp_path)
    read = read_manifest(tmp_path / "small")
    assert read.sha256 == written.sha256
    assert (read.name, read.presets, read.files) == (written.name, written.presets, written.files)


def test_the_models_digest_follows_what_can_change_a_result_and_nothing_else(tmp_path: Path) -> None:
    original = read_manifest(rewritten(tmp_path / "a")).sha256
    assert read_manifest(rewritten(tmp_path / "b", licence="other", training="longer", version="2")).sha256 == original
    files = {"unet.safetensors": "0" * 64, "vqgan.safetensors": "1" * 64}
    assert read_manifest(rewritten(tmp_path / "c", files=files)).sha256 != original
    assert read_manifest(rewritten(tmp_path / "d", config={"prediction": "v"})).sha256 != original


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"format": 2}, "format"),
        ({"name": "Small Model"}, "name"),
        ({"name": "other"}, "name of its folder"),
        ({"licence": None}, "licence"),
        ({"surprise": 1}, "surprise"),
        ({"files": {}}, "files"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "plain"),
        ({"files": {"unet.safetensors": "abc"}}, "unet.safetensors"),
        ({"presets": {"slow": {"sampler": "ddpm", "steps": 1000}}}, "slow"),
        ({"presets": {"reference": {"sampler": "ddpm", "steps": 1000}}}, "fast"),
        ({"presets": {"fast": {"sampler": "magic", "steps": 3}}}, "sampler"),
        ({"golden": {"file": "..", "sha256": "0" * 64, "preset": "fast", "steps": 1}}, "plain"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_manifest(rewritten(tmp_path, **overrides))


def test_a_folder_without_a_manifest_is_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        read_manifest(tmp_path)
    assert caught.value.code == WeightsFault.MISSING


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "3"])
def test_a_manifest_that_is_not_an_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ConfigError):
        read_manifest(tmp_path)


def manifest(tmp_path: Path) -> Manifest:
    return install_model(tmp_path)


def test_a_presets_steps_can_be_replaced_where_the_sampler_allows_it(tmp_path: Path) -> None:
    one = manifest(tmp_path)
    assert one.preset("fast").steps == one.preset("fast", 10).steps == 10
    assert one.preset("fast", 20).steps == 20
    with pytest.raises(ConfigError, match="cannot run in 5 steps"):
        one.preset("reference", 5)
    with pytest.raises(ConfigError, match="preset must be one of fast, reference"):
        one.preset("slow")
