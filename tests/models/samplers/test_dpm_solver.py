from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.samplers.dpm_solver import sample_dpm_solver, uniform_timesteps
from models.schedules import cosine_schedule
from models.thresholding import clamp_x0

SCHEDULE = cosine_schedule()
MEAN, SPREAD = 0.7, 0.5


def exact(x: Tensor, t: int) -> Tensor:
    """x̂₀ of a Gaussian N(MEAN, SPREAD²)."""
    alpha, sigma = SCHEDULE.alpha_sigma(t)
    return MEAN + alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2) * (x - alpha * MEAN)


def flow(x_T: Tensor, t: int) -> Tensor:
    """Where the probability-flow ODE of that Gaussian carries x_T from timestep t to σ = 0."""
    alpha, sigma = SCHEDULE.alpha_sigma(t)
    return MEAN + SPREAD * (x_T - alpha * MEAN) / (alpha**2 * SPREAD**2 + sigma**2) ** 0.5


def error(steps: int, start: int = 950) -> float:
    x_T = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = sample_dpm_solver(exact, x_T, uniform_timesteps(steps, start), SCHEDULE, lambda _step, _total: None)
    return float((found - flow(x_T, start)).square().mean().sqrt())


def test_it_converges_to_the_flow_of_a_gaussian() -> None:
    assert error(12) < 0.05
    assert error(200) < 0.002


def test_its_error_falls_faster_than_that_of_a_first_order_solver() -> None:
    assert error(20) / error(80) > 1.5 * 80 / 20


def test_an_error_of_the_noise_estimate_is_held_small_by_a_lower_start_and_thresholding() -> None:
    def biased(x: Tensor, t: int) -> Tensor:
        alpha, sigma = SCHEDULE.alpha_sigma(t)
        return exact(x, t) - sigma / alpha * 0.01

    def bias(start: int, *, thresholded: bool) -> float:
        x_T = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        found = sample_dpm_solver(
            lambda x, t: clamp_x0(biased(x, t), t) if thresholded else biased(x, t),
            x_T,
            uniform_timesteps(10, start),
            SCHEDULE,
            lambda _step, _total: None,
        )
        return abs(float((found - flow(x_T, start)).mean()))

    assert bias(950, thresholded=True) < 0.05
    assert bias(999, thresholded=False) > 1


def test_one_step_returns_the_estimate_at_the_start() -> None:
    x_T = torch.randn(1, 1, 4, 4)
    found = sample_dpm_solver(exact, x_T, uniform_timesteps(1), SCHEDULE, lambda _step, _total: None)
    assert torch.equal(found, exact(x_T, 950))


def test_each_timestep_is_evaluated_once_falling_from_the_start_and_reported() -> None:
    evaluated: list[int] = []
    reported: list[tuple[int, int]] = []

    def predict(x: Tensor, t: int) -> Tensor:
        evaluated.append(t)
        return x * 0

    sample_dpm_solver(predict, torch.randn(1, 1, 2, 2), uniform_timesteps(10), SCHEDULE,
                      lambda step, total: reported.append((step, total)))  # fmt: skip
    assert evaluated == [950, 855, 760, 665, 570, 475, 380, 285, 190, 95]
    assert reported == [(i, 10) for i in range(1, 11)]


@pytest.mark.parametrize("steps", [0, -1, 951])
def test_an_impossible_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        uniform_timesteps(steps)


def test_no_timesteps_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        sample_dpm_solver(exact, torch.zeros(1, 1, 2, 2), (), SCHEDULE, lambda _step, _total: None)
