from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from models.bs_diff.autoencoder import Autoencoder
from models.checkpoint import save_tensors
from models.errors import ConfigError, WeightsError
from models.library import load_manifest
from models.metrics.lpips import Lpips
from models.training.export import write_model
from models.training.objectives.bs_diff_enhancer import EnhancerObjective
from models.training.objectives.ms_ssim import ms_ssim_loss
from tests.models.training.objectives.bs_diff_factories import enhancer_settings, first_stage
from tests.models.training.objectives.factories import gradients, loss_of, phantom_task, train


def objective(**changes: object) -> EnhancerObjective:
    torch.manual_seed(10)
    return EnhancerObjective(enhancer_settings(**changes), phantom_task(), first_stage())


@pytest.fixture
def lpips(tmp_path: Path) -> Path:
    """Weights of the right names and shapes; what they mean does not matter here."""
    torch.manual_seed(11)
    save_tensors({name: weight.abs() for name, weight in Lpips().state_dict().items()}, tmp_path / "lpips.safetensors")
    return tmp_path / "lpips.safetensors"


def test_a_few_steps_make_the_loss_smaller(tmp_path: Path) -> None:
    one = objective(weights={"radiograph": 1.0})
    batch = one.draw(0)
    before = sum(loss_of(one, "autoencoder", batch).values())
    train(one, tmp_path, 15)
    assert sum(loss_of(one, "autoencoder", batch).values()) < 0.9 * before


def test_the_terms_weigh_what_is_published() -> None:
    one = objective()
    batch = one.draw(0)
    with torch.no_grad():
        autoencoder = one.networks["autoencoder"]
        assert isinstance(autoencoder, Autoencoder)
        enhanced = autoencoder.decode(autoencoder.encode(batch.sampled).sample(batch.latent_noise))
        (score,) = one.networks["discriminator"](enhanced)
    found = loss_of(one, "autoencoder", batch)
    assert found == pytest.approx(
        {
            "mae": float((enhanced - batch.soft).abs().mean()),
            "ms-ssim": float(ms_ssim_loss(enhanced, batch.soft)),
            "adversarial": 0.01 * float((score - 1).square().mean()),
        },
        rel=1e-4,
    )


def test_without_lpips_weights_the_perceptual_term_is_left_out_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        one = objective()
    assert "perceptual term is left out" in caplog.text
    assert "perceptual" not in loss_of(one, "autoencoder", one.draw(0))


def test_nothing_is_said_where_no_perceptual_term_was_wanted(caplog: pytest.LogCaptureFixture) -> None:
    objective(weights={"perceptual": 0.0})
    assert not caplog.text


def test_with_lpips_weights_the_perceptual_term_weighs_a_thousandth(
    lpips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = objective(lpips=str(lpips))
    batch = one.draw(0)
    once = loss_of(one, "autoencoder", batch)["perceptual"]
    thousandfold = loss_of(objective(lpips=str(lpips), weights={"perceptual": 1.0}), "autoencoder", batch)["perceptual"]
    assert once > 0
    assert thousandfold == pytest.approx(1000 * once, rel=1e-4)
    assert not caplog.text
    assert set(one.inputs()) == {"denoiser", "lpips"}


def test_lpips_weights_that_are_named_but_absent_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        objective(lpips=str(tmp_path / "none.safetensors"))


def test_the_discriminator_teaches_the_autoencoder_nothing_while_it_learns() -> None:
    one = objective()
    assert gradients(one, "discriminator", one.draw(0)) == {"autoencoder": False, "discriminator": True}


def test_each_network_learns_in_its_turn_and_the_first_stage_never(tmp_path: Path) -> None:
    first = first_stage()
    torch.manual_seed(10)
    one = EnhancerObjective(enhancer_settings(), phantom_task(), first)
    assert list(one.networks) == ["autoencoder", "discriminator"]
    still = {name: weight.clone() for name, weight in first.unet.state_dict().items()}
    before = {name: [weight.clone() for weight in net.parameters()] for name, net in one.networks.items()}
    train(one, tmp_path, 1)
    for name, network in one.networks.items():
        assert any(not torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True))
    assert all(torch.equal(weight, still[name]) for name, weight in first.unet.state_dict().items())


def test_while_the_autoencoder_learns_the_frozen_discriminator_gathers_no_gradient(tmp_path: Path) -> None:
    one = objective()
    trainer = train(one, tmp_path, 1)
    discriminator = trainer.learners["discriminator"]
    trainer.learners["autoencoder"].freeze(False)
    discriminator.freeze(True)
    discriminator.clear()
    torch.stack(list(one.losses("autoencoder", one.draw(0), 1).values())).sum().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is None for weight in discriminator.network.parameters())


def test_the_input_is_what_the_first_stage_samples_and_a_step_draws_it_again() -> None:
    one, again = objective().draw(3), objective().draw(3)
    assert one.sampled.shape == one.soft.shape == one.cxr.shape
    assert float(one.sampled.abs().max()) <= 1
    for name, value in vars(one).items():
        assert torch.equal(value, getattr(again, name)), name
        assert not value.is_inference()


def test_the_finished_model_holds_both_stages_and_runs(tmp_path: Path) -> None:
    one = objective()
    model = one.model({name: network.eval() for name, network in one.networks.items()})
    manifest = write_model(model, tmp_path / "tiny-bs-diff", version="0", note="random weights")
    suppressor = load_manifest(manifest, steps=2, device="cpu")
    assert suppressor.image_size == 64
    bone = suppressor.bone_residual(torch.zeros(1, 1, 64, 64), seeds=[1], on_step=lambda _step, _total: None)
    assert bone.shape == (1, 1, 64, 64)


@pytest.mark.parametrize("changes", [{"side": 47}, {"side": 2}])
def test_a_side_that_the_networks_cannot_take_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"multiples of 2 and data\.side 11 or more"):
        EnhancerObjective(enhancer_settings(), phantom_task(**changes), first_stage())
