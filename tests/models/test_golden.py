from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models import golden, library
from models.bs_ldm.predict import BsLdmSuppressor
from models.errors import WeightsError, WeightsFault
from models.manifest import Manifest, read_manifest
from models.suppressor import Suppressor
from tests.models.bs_ldm.factories import install_model, radiograph


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return golden.record_golden(install_model(tmp_path), radiograph())


def loaded(manifest: Manifest, preset: str = "fast", steps: int = 0) -> BsLdmSuppressor:
    return BsLdmSuppressor.from_manifest(manifest, torch.device("cpu"), preset, steps)


def passes(model: Suppressor, manifest: Manifest) -> bool:
    check = golden.verify(model, manifest)
    return check is not None and check.ok


def test_the_model_that_made_the_record_passes(manifest: Manifest) -> None:
    check = golden.verify(loaded(manifest), manifest)
    assert check is not None
    assert check.ok
    assert check.deviation < 2e-3


def test_a_record_is_named_by_the_manifest_and_leaves_its_digest_alone(manifest: Manifest, tmp_path: Path) -> None:
    read = read_manifest(manifest.folder)
    assert read.golden is not None
    assert (read.golden.preset, read.golden.steps) == ("fast", 10)
    assert read.sha256 == install_model(tmp_path / "again").sha256


def test_a_network_that_computes_something_else_does_not_pass(manifest: Manifest) -> None:
    model = loaded(manifest)
    with torch.no_grad():
        model._vqgan.decoder.blocks[0].conv.weight.mul_(1.1)
    assert not passes(model, manifest)


def test_a_network_that_returns_nan_does_not_pass() -> None:
    assert not golden.GoldenCheck("m", float("nan"), 0.1).ok
    assert golden.relative_deviation(torch.zeros(2), torch.zeros(3)) == float("inf")


def test_a_model_set_to_other_steps_is_checked_as_recorded(manifest: Manifest) -> None:
    assert passes(loaded(manifest, steps=3), manifest)


def test_an_altered_record_is_refused(manifest: Manifest) -> None:
    path = manifest.folder / golden.FILE_NAME
    path.write_bytes(path.read_bytes()[:-2] + b"\1\1")
    with pytest.raises(WeightsError) as caught:
        golden.verify(loaded(manifest), manifest)
    assert caught.value.code == WeightsFault.ALTERED


def test_a_model_without_a_record_is_said_to_have_none(tmp_path: Path) -> None:
    manifest = install_model(tmp_path)
    assert golden.verify(loaded(manifest), manifest) is None


def test_every_shipped_model_carries_a_record_that_it_passes_on_this_machine() -> None:
    shipped = library.installed()
    assert shipped
    for manifest in shipped:
        assert passes(library.load_manifest(manifest, device="cpu"), manifest), manifest.name
