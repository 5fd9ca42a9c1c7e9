from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from models.bs_diff.autoencoder import Autoencoder
from models.bs_diff.config import BsDiffConfig, Condition
from models.bs_diff.denoiser import Denoiser
from models.bs_diff.predict import BsDiffSuppressor
from models.bs_diff.presets import COMPAT, FAST, PRESETS, REFERENCE
from models.bs_diff.unet import UNet
from models.bs_diff.x0_feedback import iterate_x0
from models.errors import ConfigError, OutputError
from models.manifest import Preset
from models.schedules import Prediction, cosine_schedule
from models.suppressor import ModelIdentity, SamplingSuppressor
from tests.models.bs_diff.factories import CONFIG, install_model
from tests.models.bs_ldm.factories import no_step, radiograph

CPU = torch.device("cpu")
SIZE = 32


def suppressor(folder: Path, preset: str = "fast", steps: int = 2, **config: object) -> BsDiffSuppressor:
    return BsDiffSuppressor.from_manifest(install_model(folder, **config), CPU, preset, steps)  # type: ignore[arg-type]


def residual(model: BsDiffSuppressor, seed: int = 0) -> Tensor:
    return model.bone_residual(radiograph(SIZE), seeds=[seed], on_step=no_step)


class Knowing(nn.Module):
    """A U-Net that has seen the answer: its noise is the one that leads to x0."""

    def __init__(self, x0: Tensor) -> None:
        super().__init__()
        self.x0 = nn.Parameter(x0, requires_grad=False)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = cosine_schedule().alpha_sigma(int(t[0]))
        return ((x[:, :1] - alpha * self.x0) / sigma).repeat(1, 2, 1, 1)


class Simple(nn.Module):
    """A U-Net of one line, for runs of a thousand steps."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.3), requires_grad=False)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        noise = torch.tanh(self.slope * x[:, :1] + x[:, 1:] * t[0] / 1000)
        return noise.repeat(1, 2, 1, 1)


class Blurring(nn.Module):
    """An enhancement that loses what is fine and shifts the tone."""

    def forward(self, image: Tensor) -> Tensor:
        padded = nn.functional.pad(image, (2, 2, 2, 2), mode="replicate")
        return nn.functional.avg_pool2d(padded, 5, stride=1) * 0.8 + 0.05


def with_networks(
    preset: Preset, unet: nn.Module, autoencoder: nn.Module, condition: Condition = Condition.CLEAN
) -> BsDiffSuppressor:
    identity = ModelIdentity("m", "1", "bs-diff", "0" * 64, preset.sampler, preset.steps, "float32", "cpu")
    config = BsDiffConfig(image_size=SIZE, condition=condition, unet=CONFIG.unet, autoencoder=CONFIG.autoencoder)
    return BsDiffSuppressor(identity, config, cast(UNet, unet), cast(Autoencoder, autoencoder), preset)


DETERMINISTIC = Preset("dpm-solver++2m", 10, 950)


@pytest.mark.parametrize("preset", [FAST, DETERMINISTIC, REFERENCE, COMPAT], ids=lambda preset: preset.sampler)
def test_every_sampler_finds_the_picture_that_a_perfect_network_knows(preset: Preset) -> None:
    cxr = radiograph(SIZE)
    soft = 0.5 * radiograph(SIZE, 8)
    model = with_networks(preset, Knowing(soft), nn.Identity())
    found = model.bone_residual(cxr, seeds=[4], on_step=no_step)
    assert torch.allclose(found, cxr - soft, atol=2e-3)


def test_what_the_enhancement_blurs_is_no_bone_in_the_difference_but_is_in_the_published_result() -> None:
    """Bone in one place, fine texture everywhere: away from the bone nothing may be taken."""
    texture = 0.3 * radiograph(SIZE)
    bone = torch.zeros_like(texture)
    bone[..., 12:20, 4:12] = 0.4
    cxr, away = texture + bone, (slice(None), slice(None), slice(None), slice(16, None))
    for preset, most, least in ((FAST, 2e-3, 0.0), (COMPAT, 1.0, 0.1)):
        found = with_networks(preset, Knowing(texture), Blurring()).bone_residual(cxr, seeds=[0], on_step=no_step)
        assert least <= found[away].abs().max() <= most
    assert found[..., 14:18, 6:10].min() > 0


@pytest.mark.parametrize("condition", Condition)
def test_compat_is_the_published_iteration_with_a_clean_radiograph_minus_its_enhancement(condition: Condition) -> None:
    cxr, schedule, unet, enhance = radiograph(SIZE), cosine_schedule(), Simple(), Blurring()
    found = with_networks(COMPAT, unet, enhance, condition).bone_residual(cxr, seeds=[6], on_step=no_step)
    x_T = torch.randn((1, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(6))
    x0 = iterate_x0(Denoiser(unet, Prediction.EPSILON, schedule, cxr), x_T, schedule, no_step)
    assert torch.equal(found, cxr - enhance(x0).clamp(-1, 1))


@pytest.mark.parametrize("config", [{"prediction": Prediction.V}, {"condition": Condition.NOISED}])
def test_each_option_of_the_method_changes_the_result(tmp_path: Path, config: dict[str, object]) -> None:
    default = residual(suppressor(tmp_path / "default"))
    assert not torch.allclose(residual(suppressor(tmp_path / "other", **config)), default, atol=1e-4)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_result(tmp_path: Path) -> None:
    model = suppressor(tmp_path)
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), residual(model, 5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(residual(model, 5), first)
    assert not torch.equal(residual(model, 6), first)


@pytest.mark.parametrize("condition", Condition)
def test_an_images_result_does_not_depend_on_its_batch(tmp_path: Path, condition: Condition) -> None:
    model = suppressor(tmp_path, condition=condition)
    cxr = torch.cat([radiograph(SIZE, 1), radiograph(SIZE, 2)])
    both = model.bone_residual(cxr, seeds=[7, 3], on_step=no_step)
    for i, seed in enumerate((7, 3)):
        alone = model.bone_residual(cxr[i : i + 1], seeds=[seed], on_step=no_step)
        assert torch.allclose(both[i : i + 1], alone, atol=1e-4)


def test_the_residual_stays_within_the_range_that_two_pictures_can_differ_by(tmp_path: Path) -> None:
    found = residual(suppressor(tmp_path))
    assert found.shape == (1, 1, SIZE, SIZE)
    assert found.dtype == torch.float32
    assert 0 < found.abs().max() <= 2


def test_every_step_is_reported_and_the_identity_says_what_ran(tmp_path: Path) -> None:
    manifest = install_model(tmp_path)
    model, reported = BsDiffSuppressor.from_manifest(manifest, CPU, "fast", 0), []
    model.bone_residual(radiograph(SIZE), seeds=[0], on_step=lambda step, total: reported.append((step, total)))
    assert reported == [(i, 10) for i in range(1, 11)]
    identity = model.identity
    assert (identity.architecture, identity.sampler, identity.steps) == ("bs-diff", "sde-dpm-solver++2m", 10)
    assert (identity.sha256, model.image_size) == (manifest.sha256, SIZE)


def test_a_sampler_that_takes_no_steps_is_refused() -> None:
    model = with_networks(Preset("one-pass", 1, 0), Knowing(radiograph(SIZE)), nn.Identity())
    with pytest.raises(ConfigError, match="one-pass"):
        model.bone_residual(radiograph(SIZE), seeds=[0], on_step=no_step)


def test_few_steps_are_ten_at_most_and_begin_where_an_error_is_not_magnified() -> None:
    assert FAST.steps <= 10
    assert FAST.start_timestep <= 950
    assert set(PRESETS) == {"fast", "reference", "compat"}


def test_a_watched_run_shows_residuals_and_ends_with_its_result(tmp_path: Path) -> None:
    model = suppressor(tmp_path, steps=5)
    assert isinstance(model, SamplingSuppressor)
    seen: list[tuple[int, Tensor]] = []
    found = model.traced_residual(
        radiograph(SIZE), seeds=[2], on_step=no_step, on_estimate=lambda *s: seen.append(s), frames=3
    )
    assert torch.equal(found, residual(model, 2))
    assert [t for t, _ in seen] == [950, 266, 4]
    assert torch.equal(seen[-1][1], found)


def test_a_wrong_radiograph_is_refused_and_so_is_a_preset_that_cannot_run_in_those_steps(tmp_path: Path) -> None:
    model = suppressor(tmp_path)
    with pytest.raises(OutputError, match="float32"):
        model.bone_residual(radiograph(16), seeds=[0], on_step=no_step)
    with pytest.raises(ConfigError, match="x0-feedback"):
        suppressor(tmp_path / "other", "compat", 10)
