from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.samplers.ddpm import sample_ddpm
from models.schedules import cosine_schedule

SCHEDULE = cosine_schedule()


def no_noise(_t: int) -> Tensor:
    return torch.zeros(1, 1, 2, 2)


def test_a_denoiser_that_knows_x0_is_followed_to_it() -> None:
    truth = torch.tensor([[[[0.5, -1.0], [2.0, 0.0]]]])
    found = sample_ddpm(lambda _x, _t: truth, torch.randn(1, 1, 2, 2), lambda _t: torch.randn(1, 1, 2, 2), SCHEDULE,
                        lambda _step, _total: None)  # fmt: skip
    torch.testing.assert_close(found, truth)


def test_the_exact_posterior_of_a_gaussian_gives_samples_with_its_mean_and_spread() -> None:
    mean, spread = 0.7, 0.5
    generator = torch.Generator().manual_seed(0)

    def exact(x: Tensor, t: int) -> Tensor:
        alpha, sigma = SCHEDULE.alpha_sigma(t)
        return mean + alpha * spread**2 / (alpha**2 * spread**2 + sigma**2) * (x - alpha * mean)

    def noise(_t: int) -> Tensor:
        return torch.randn(1, 1, 200, 200, generator=generator)

    found = sample_ddpm(exact, noise(999), noise, SCHEDULE, lambda _step, _total: None)
    assert found.mean().item() == pytest.approx(mean, abs=0.01)
    assert found.std().item() == pytest.approx(spread, abs=0.01)


def test_every_timestep_is_evaluated_once_and_reported_and_noise_is_asked_for_above_zero() -> None:
    evaluated, reported, noised, seen = [], [], [], []

    def predict(x: Tensor, t: int) -> Tensor:
        evaluated.append(t)
        return x

    def noise(t: int) -> Tensor:
        noised.append(t)
        return torch.zeros(1, 1, 2, 2)

    sample_ddpm(predict, torch.zeros(1, 1, 2, 2), noise, SCHEDULE, lambda step, total: reported.append((step, total)),
                lambda t, _x: seen.append(t))  # fmt: skip
    assert evaluated == seen == list(reversed(range(1000)))
    assert reported == [(i, 1000) for i in range(1, 1001)]
    assert noised == list(reversed(range(1, 1000)))


def test_what_on_step_raises_ends_the_sampling_at_once() -> None:
    evaluated = []

    def deadline(step: int, _total: int) -> None:
        if step == 3:
            raise TimeoutError

    def predict(x: Tensor, t: int) -> Tensor:
        evaluated.append(t)
        return x

    with pytest.raises(TimeoutError):
        sample_ddpm(predict, torch.zeros(1, 1, 2, 2), no_noise, SCHEDULE, deadline)
    assert evaluated == [999, 998, 997]
