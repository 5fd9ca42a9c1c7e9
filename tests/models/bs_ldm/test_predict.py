from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.bs_ldm.config import Condition, Target
from models.bs_ldm.predict import BsLdmSuppressor
from models.errors import OutputError
from models.schedules import Prediction
from tests.models.bs_ldm.factories import install_model, no_step, radiograph

CPU = torch.device("cpu")


def suppressor(folder: Path, preset: str = "fast", steps: int = 0, **config: object) -> BsLdmSuppressor:
    return BsLdmSuppressor.from_manifest(install_model(folder, **config), CPU, preset, steps)


def residual(model: BsLdmSuppressor, seed: int = 0) -> torch.Tensor:
    return model.bone_residual(radiograph(), seeds=[seed], on_step=no_step)


def test_the_residual_has_the_radiographs_size_and_every_step_is_reported(tmp_path: Path) -> None:
    model, reported = suppressor(tmp_path), []
    found = model.bone_residual(radiograph(), seeds=[0], on_step=lambda step, total: reported.append((step, total)))
    assert found.shape == (1, 1, 32, 32)
    assert found.dtype == torch.float32
    assert found.abs().max() > 0
    assert reported == [(i, 10) for i in range(1, 11)]


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_result(tmp_path: Path) -> None:
    model = suppressor(tmp_path)
    assert torch.equal(residual(model, 5), residual(model, 5))
    assert not torch.equal(residual(model, 5), residual(model, 6))


def test_the_global_generator_has_no_part_in_it_and_is_left_alone(tmp_path: Path) -> None:
    model = suppressor(tmp_path)
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), residual(model)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(residual(model), first)


def test_the_reference_preset_takes_a_thousand_steps(tmp_path: Path) -> None:
    model, steps = suppressor(tmp_path, "reference"), []
    model.bone_residual(radiograph(), seeds=[0], on_step=lambda step, _total: steps.append(step))
    assert len(steps) == 1000
    assert (model.identity.sampler, model.identity.steps) == ("ddpm", 1000)


def test_the_identity_says_what_ran(tmp_path: Path) -> None:
    manifest = install_model(tmp_path)
    identity = BsLdmSuppressor.from_manifest(manifest, CPU, "fast", 3).identity
    assert (identity.name, identity.architecture, identity.sha256) == ("small", "bs-ldm", manifest.sha256)
    assert (identity.sampler, identity.steps, identity.precision, identity.device) == (
        "sde-dpm-solver++2m",
        3,
        "float32",
        "cpu",
    )


@pytest.mark.parametrize(
    "config",
    [
        {"prediction": Prediction.V},
        {"prediction": Prediction.X0},
        {"target": Target.BONE},
        {"condition": Condition.SCALED},
        {"latent_scale": 2.0},
    ],
)
def test_each_option_of_the_method_changes_the_result(tmp_path: Path, config: dict[str, object]) -> None:
    published = residual(suppressor(tmp_path / "published"))
    assert not torch.allclose(residual(suppressor(tmp_path / "other", **config)), published, atol=1e-4)


def test_no_bone_found_in_the_latents_leaves_nothing_to_subtract(tmp_path: Path) -> None:
    model = suppressor(tmp_path, steps=1, target=Target.BONE, prediction=Prediction.X0)
    out = model._unet.out[2]
    torch.nn.init.zeros_(out.weight)
    torch.nn.init.zeros_(out.bias)
    assert residual(model).abs().max() == 0


def test_what_on_step_raises_comes_out(tmp_path: Path) -> None:
    def deadline(_step: int, _total: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        suppressor(tmp_path).bone_residual(radiograph(), seeds=[0], on_step=deadline)


@pytest.mark.parametrize("wrong", [radiograph(64), radiograph().double(), radiograph()[0], radiograph() * float("nan")])
def test_an_input_of_another_size_type_or_with_nan_is_refused(tmp_path: Path, wrong: torch.Tensor) -> None:
    with pytest.raises(OutputError) as caught:
        suppressor(tmp_path).bone_residual(wrong, seeds=[0], on_step=no_step)
    assert caught.value.code == "MODEL_INPUT_INVALID"


def test_a_result_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    model = suppressor(tmp_path)
    torch.nn.init.constant_(model._vqgan.decoder.blocks[0].conv.weight, float("inf"))
    with pytest.raises(OutputError, match="not finite"):
        residual(model)


def batch(count: int) -> torch.Tensor:
    return torch.cat([radiograph(seed=10 + i) for i in range(count)])


@pytest.mark.parametrize("preset", ["fast", "reference"])
def test_an_image_of_a_batch_comes_out_as_it_does_alone(tmp_path: Path, preset: str) -> None:
    model, cxr, seeds = suppressor(tmp_path, preset), batch(3), [4, 0, 4]
    together = model.bone_residual(cxr, seeds=seeds, on_step=no_step)
    alone = [model.bone_residual(cxr[i : i + 1], seeds=[seed], on_step=no_step) for i, seed in enumerate(seeds)]
    assert together.shape == (3, 1, 32, 32)
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_a_batch_takes_as_many_steps_as_one_image(tmp_path: Path) -> None:
    steps: list[int] = []
    suppressor(tmp_path, steps=5).bone_residual(batch(2), seeds=[0, 1], on_step=lambda step, _total: steps.append(step))
    assert steps == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("count", "seeds"), [(2, [0]), (1, [0, 1]), (0, [])])
def test_images_without_a_seed_each_are_refused(tmp_path: Path, count: int, seeds: list[int]) -> None:
    with pytest.raises(OutputError, match="a seed for each"):
        suppressor(tmp_path).bone_residual(radiograph().expand(count, 1, 32, 32), seeds=seeds, on_step=no_step)


@pytest.mark.parametrize(("preset", "frames", "shown"), [("fast", 4, [950, 600, 86, 4]), ("reference", 2, [999, 0])])
def test_a_traced_run_gives_the_same_result_and_shows_the_way(
    tmp_path: Path, preset: str, frames: int, shown: list[int]
) -> None:
    model, seen = suppressor(tmp_path, preset), []
    found = model.traced_residual(
        radiograph(), seeds=[0], on_step=no_step, on_estimate=lambda t, r: seen.append((t, r)), frames=frames
    )
    assert torch.equal(found, residual(model))
    assert [t for t, _ in seen] == shown
    assert all(estimate.shape == (1, 1, 32, 32) for _, estimate in seen)
    assert torch.equal(seen[-1][1], found)
    assert not torch.allclose(seen[0][1], found, atol=1e-4)
