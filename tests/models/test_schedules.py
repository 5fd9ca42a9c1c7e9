from __future__ import annotations

import math

import pytest
import torch

from models.schedules import OFFSET_NOISE, Prediction, cosine_schedule, offset_noise


def test_alpha_bar_falls_from_nearly_one_to_the_published_last_value() -> None:
    schedule = cosine_schedule()
    assert schedule.timesteps == len(schedule.alpha_bar) == len(schedule.beta) == 1000
    assert all(a > b for a, b in zip(schedule.alpha_bar, schedule.alpha_bar[1:], strict=False))
    assert schedule.alpha_bar[0] == pytest.approx(0.99996, abs=1e-5)
    assert schedule.alpha_bar[999] == pytest.approx(2.4e-9, rel=0.02)


@pytest.mark.parametrize("t", [100, 500, 900])
def test_alpha_bar_follows_the_closed_form_where_beta_is_not_capped(t: int) -> None:
    f = [math.cos((u / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for u in (t + 1, 0)]
    assert cosine_schedule().alpha_bar[t] == pytest.approx(f[0] / f[1], rel=1e-4)


def test_signal_and_noise_shares_have_unit_power() -> None:
    alpha, sigma = cosine_schedule().alpha_sigma(950)
    assert alpha == pytest.approx(0.076, abs=1e-3)
    assert alpha**2 + sigma**2 == pytest.approx(1)


@pytest.mark.parametrize("kind", list(Prediction))
@pytest.mark.parametrize("t", [0, 500, 950])
def test_a_perfect_prediction_of_any_kind_gives_back_x0(kind: Prediction, t: int) -> None:
    schedule = cosine_schedule()
    x0, noise = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    batch = torch.full((2,), t)
    x_t = schedule.add_noise(x0, noise, batch)
    found = schedule.to_x0(kind, schedule.target(kind, x0, noise, batch), x_t, t)
    torch.testing.assert_close(found, x0, atol=2e-4, rtol=1e-4)


def test_each_item_of_a_batch_is_noised_at_its_own_timestep() -> None:
    schedule = cosine_schedule()
    x_t = schedule.add_noise(torch.ones(2, 1, 2, 2), torch.zeros(2, 1, 2, 2), torch.tensor([0, 999]))
    assert x_t[0, 0, 0, 0] == pytest.approx(math.sqrt(schedule.alpha_bar[0]))
    assert x_t[1, 0, 0, 0] == pytest.approx(math.sqrt(schedule.alpha_bar[999]))


def test_offset_noise_shifts_whole_channels_by_the_published_amount() -> None:
    noise = offset_noise((2000, 1, 16, 16), torch.Generator().manual_seed(0))
    # variance of a channel's mean: 1/256 from ε, λ² from the offset
    assert noise.mean(dim=(2, 3)).var().item() == pytest.approx(1 / 256 + OFFSET_NOISE**2, rel=0.1)
    again = offset_noise((2000, 1, 16, 16), torch.Generator().manual_seed(0))
    assert torch.equal(noise, again)
