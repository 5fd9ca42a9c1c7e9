from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from models.errors import ConfigError
from models.phantom import render
from models.schedules import cosine_schedule
from models.training.data import Pair
from models.training.objectives.bs_diff_denoiser import DenoiserObjective, DiffusedBatch
from tests.models.training.objectives.bs_diff_factories import denoiser_settings, first_stage
from tests.models.training.objectives.factories import loss_of, phantom_task, train

T = 400


class Spy(nn.Module):
    """Keeps what the U-Net is shown and answers with zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = torch.empty(0)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.seen = x
        return torch.zeros_like(x)


def objective(**changes: object) -> DenoiserObjective:
    torch.manual_seed(9)
    return DenoiserObjective(denoiser_settings(**changes), phantom_task())


def seen_by(condition: str) -> tuple[Tensor, DiffusedBatch]:
    """What the network is shown of a batch at timestep T, and the batch."""
    one, spy = objective(condition=condition), Spy()
    one._unet = cast("nn.Module", spy)  # type: ignore[assignment]
    batch = one.draw(0)
    batch = replace(batch, t=torch.full_like(batch.t, T))
    loss_of(one, "denoiser", batch)
    return spy.seen, batch


def test_the_radiograph_stands_unscaled_beside_the_noised_soft_tissue() -> None:
    seen, batch = seen_by("clean")
    alpha, sigma = cosine_schedule().alpha_sigma(T)
    torch.testing.assert_close(seen[:, :1], alpha * batch.soft + sigma * batch.noise)
    assert torch.equal(seen[:, 1:], batch.cxr)


def test_as_published_the_radiograph_is_noised_too_with_noise_of_its_own() -> None:
    seen, batch = seen_by("noised")
    alpha, sigma = cosine_schedule().alpha_sigma(T)
    torch.testing.assert_close(seen[:, 1:], alpha * batch.cxr + sigma * batch.condition_noise)
    assert not torch.equal(batch.noise, batch.condition_noise)


def test_answering_no_noise_costs_the_noises_variance() -> None:
    one = objective()
    batch = one.draw(0)
    # A fresh U-Net answers zeros.
    assert loss_of(one, "denoiser", batch)["epsilon"] == pytest.approx(float(batch.noise.square().mean()), rel=1e-5)


def test_a_few_steps_make_the_loss_smaller(tmp_path: Path) -> None:
    one = objective()
    batch = one.draw(0)
    before = loss_of(one, "denoiser", batch)["epsilon"]
    train(one, tmp_path, 15)
    assert loss_of(one, "denoiser", batch)["epsilon"] < 0.9 * before


def test_a_step_draws_the_same_images_timesteps_and_noise_again() -> None:
    first, again, other = objective().draw(3), objective().draw(3), objective().draw(4)
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
        assert not torch.equal(value, getattr(other, name)), name


def test_timesteps_are_drawn_over_the_whole_schedule() -> None:
    one = objective()
    drawn = torch.cat([one.draw(step).t for step in range(40)])
    assert drawn.dtype == torch.int64
    assert 0 <= int(drawn.min()) < 100
    assert 900 < int(drawn.max()) < 1000


def test_the_second_output_is_never_judged() -> None:
    one = objective()
    batch = one.draw(0)
    torch.stack(list(one.losses("denoiser", batch, 0).values())).sum().backward()  # type: ignore[no-untyped-call]
    (last,) = (weight for name, weight in one.networks["denoiser"].named_parameters() if name == "out.2.conv.bias")
    assert last.grad is not None
    assert float(last.grad[0]) != 0
    assert float(last.grad[1]) == 0


def test_offset_noise_shifts_whole_images() -> None:
    means = objective(offset_noise=1.0).draw(0).noise.mean((1, 2, 3))
    assert float(means.abs().max()) > 10 / math.sqrt(48 * 48)


def test_the_denoiser_is_judged_by_what_it_samples_and_is_no_model_by_itself() -> None:
    one = objective()
    phantom = render(64, 3)
    pair = Pair("phantom", phantom.radiograph, phantom.soft_tissue)
    figures = one.figures({"denoiser": first_stage().unet}, [pair])
    assert list(figures) == ["tone-fitted PSNR, dB"]
    assert math.isfinite(figures["tone-fitted PSNR, dB"])
    assert one.figures({"denoiser": first_stage().unet}, []) == {}
    assert one.model({"denoiser": first_stage().unet}) is None


def test_a_side_that_the_network_cannot_halve_is_refused() -> None:
    with pytest.raises(ConfigError, match="multiples of 2"):
        DenoiserObjective(denoiser_settings(), phantom_task(side=47))
