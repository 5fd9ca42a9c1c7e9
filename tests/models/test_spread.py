from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.library import load_manifest
from models.spread import seeded_residual, seeds_of
from models.suppressor import ModelIdentity
from tests.models.bs_ldm.factories import install_model, no_step, radiograph

CPU = ModelIdentity("m", "1", "bs-ldm", "ab" * 32, "sde-dpm-solver++2m", 10, "float32", "cpu")
CUDA = replace(CPU, device="cuda (a card)", precision="bfloat16")


@pytest.mark.parametrize(
    ("identity", "wanted", "seeds"),
    [
        (CPU, 0, (7,)),
        (CUDA, 0, (7, 8, 9, 10)),
        (CPU, 3, (7, 8, 9)),
        (CUDA, 1, (7,)),
        (replace(CUDA, sampler="one-pass"), 0, (7,)),
        (replace(CPU, sampler="one-pass"), 5, (7,)),
    ],
)
def test_how_many_seeds_an_image_gets(identity: ModelIdentity, wanted: int, seeds: tuple[int, ...]) -> None:
    assert seeds_of(identity, 7, wanted) == seeds


def test_the_mean_and_spread_are_those_of_the_seeds_results(tmp_path: Path) -> None:
    model = load_manifest(install_model(tmp_path), device="cpu")
    found = seeded_residual(model, radiograph(), (2, 5, 9), no_step)
    each = torch.cat([model.bone_residual(radiograph(), seeds=[seed], on_step=no_step) for seed in (2, 5, 9)])
    torch.testing.assert_close(found.mean, each.mean(0, keepdim=True), atol=1e-4, rtol=1e-4)
    assert found.spread is not None
    torch.testing.assert_close(found.spread, each.std(0, keepdim=True), atol=1e-4, rtol=1e-4)
    assert float(found.spread.max()) > 0


def test_one_seed_gives_its_own_result_and_no_spread(tmp_path: Path) -> None:
    model = load_manifest(install_model(tmp_path), device="cpu")
    found = seeded_residual(model, radiograph(), (4,), no_step)
    assert torch.equal(found.mean, model.bone_residual(radiograph(), seeds=[4], on_step=no_step))
    assert found.spread is None
