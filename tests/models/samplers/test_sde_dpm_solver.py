from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from models.samplers.sde_dpm_solver import even_lambda_timesteps, sample_sde_dpm_solver
from models.schedules import cosine_schedule
from models.thresholding import clamp_x0

SCHEDULE = cosine_schedule()
MEAN, SPREAD = 0.7, 0.5


def exact(x: Tensor, t: int) -> Tensor:
    """x̂₀ of a Gaussian N(MEAN, SPREAD²)."""
    alpha, sigma = SCHEDULE.alpha_sigma(t)
    return MEAN + alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2) * (x - alpha * MEAN)


def sampled(steps: int, side: int = 200) -> Tensor:
    generator = torch.Generator().manual_seed(0)

    def noise(_t: int) -> Tensor:
        return torch.randn(1, 1, side, side, generator=generator)

    timesteps = even_lambda_timesteps(steps, 950, SCHEDULE)
    return sample_sde_dpm_solver(exact, noise(0), noise, timesteps, SCHEDULE, lambda _step, _total: None)


def test_ten_steps_give_samples_of_a_gaussian_with_its_mean_and_spread() -> None:
    found = sampled(10)
    assert found.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert found.std().item() == pytest.approx(SPREAD, rel=0.05)


def test_more_steps_come_closer_to_its_spread() -> None:
    assert abs(sampled(80).std().item() - SPREAD) < abs(sampled(5).std().item() - SPREAD) - 0.005


def test_a_denoiser_that_knows_x0_is_followed_to_it() -> None:
    truth = torch.tensor([[[[0.5, -1.0], [2.0, 0.0]]]])
    found = sample_sde_dpm_solver(
        lambda _x, _t: truth,
        torch.randn(1, 1, 2, 2),
        lambda _t: torch.randn(1, 1, 2, 2),
        (950, 400, 10),
        SCHEDULE,
        lambda _step, _total: None,
    )
    assert torch.equal(found, truth)


def test_an_error_of_the_noise_estimate_stays_small_from_the_lower_start() -> None:
    def biased(x: Tensor, t: int) -> Tensor:
        alpha, sigma = SCHEDULE.alpha_sigma(t)
        return clamp_x0(exact(x, t) - sigma / alpha * 0.01, t)

    generator = torch.Generator().manual_seed(0)
    found = sample_sde_dpm_solver(
        biased,
        torch.randn(1, 1, 100, 100, generator=generator),
        lambda _t: torch.randn(1, 1, 100, 100, generator=generator),
        even_lambda_timesteps(10, 950, SCHEDULE),
        SCHEDULE,
        lambda _step, _total: None,
    )
    assert found.mean().item() == pytest.approx(MEAN, abs=0.05)


def test_each_timestep_is_evaluated_once_and_all_but_the_last_are_noised() -> None:
    evaluated: list[int] = []
    noised: list[int] = []
    reported: list[tuple[int, int]] = []

    def predict(x: Tensor, t: int) -> Tensor:
        evaluated.append(t)
        return x * 0

    def noise(t: int) -> Tensor:
        noised.append(t)
        return torch.zeros(1, 1, 2, 2)

    timesteps = even_lambda_timesteps(10, 950, SCHEDULE)
    sample_sde_dpm_solver(predict, torch.zeros(1, 1, 2, 2), noise, timesteps, SCHEDULE,
                          lambda step, total: reported.append((step, total)))  # fmt: skip
    assert evaluated == list(timesteps)
    assert noised == list(timesteps[:-1])
    assert reported == [(i, 10) for i in range(1, 11)]


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 100, 941, 950])
def test_the_timesteps_fall_each_once_from_the_start(steps: int) -> None:
    timesteps = even_lambda_timesteps(steps, 950, SCHEDULE)
    assert len(timesteps) == steps
    assert timesteps[0] == 950
    assert all(a > b >= 0 for a, b in itertools.pairwise(timesteps))
    assert steps == 1 or timesteps[-1] == min(4, 951 - steps)


def test_ten_timesteps_lie_at_even_distances_of_lambda() -> None:
    logs = [math.log(a / s) for a, s in map(SCHEDULE.alpha_sigma, even_lambda_timesteps(10, 950, SCHEDULE))]
    distances = [b - a for a, b in itertools.pairwise(logs)]
    assert max(distances) - min(distances) < 0.1 * max(distances)


@pytest.mark.parametrize("steps", [0, -1, 951])
def test_an_impossible_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        even_lambda_timesteps(steps, 950, SCHEDULE)


def test_no_timesteps_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        sample_sde_dpm_solver(exact, torch.zeros(1, 1, 2, 2), torch.zeros_like, (), SCHEDULE, lambda _s, _n: None)  # type: ignore[arg-type]
