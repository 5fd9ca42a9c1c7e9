from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from models.bs_diff.denoiser import Denoiser
from models.schedules import Prediction, cosine_schedule

SCHEDULE = cosine_schedule()


class Recording(nn.Module):
    """Answers with one plane for the noise of x_t and another for that of its condition, and keeps what it saw."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.seen, self.timesteps = x, t
        return torch.cat([self.answer, torch.full_like(self.answer, 1e6)], dim=1)


def random(seed: int, n: int = 2) -> Tensor:
    return torch.rand((n, 1, 4, 4), generator=torch.Generator().manual_seed(seed)) * 2 - 1


@given(t=st.integers(0, 950), seed=st.integers(0, 99), kind=st.sampled_from(list(Prediction)))
def test_a_network_that_is_right_leads_back_to_x0(t: int, seed: int, kind: Prediction) -> None:
    x0, noise = random(seed), torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    times = torch.tensor([t, t])
    network = Recording(SCHEDULE.target(kind, x0, noise, times))
    found = Denoiser(network, kind, SCHEDULE, random(1))(SCHEDULE.add_noise(x0, noise, times), t)
    assert torch.allclose(found, x0, atol=2e-5 / SCHEDULE.alpha_sigma(t)[0])
    assert network.timesteps.tolist() == [t, t]


@pytest.mark.parametrize("t", [0, 999])
def test_x0_never_leaves_the_range_of_pixels(t: int) -> None:
    network = Recording(torch.linspace(-50, 50, 16).view(1, 1, 4, 4))
    x0 = Denoiser(network, Prediction.X0, SCHEDULE, random(1, 1))(random(2, 1), t)
    assert (x0.min(), x0.max()) == (-1.0, 1.0)
    assert torch.equal(x0, network.answer.clamp(-1, 1))


def test_the_radiograph_is_fed_clean_at_every_timestep() -> None:
    network, cxr, x_t = Recording(random(0)), random(1), random(2)
    for t in (0, 500, 999):
        Denoiser(network, Prediction.EPSILON, SCHEDULE, cxr)(x_t, t)
        assert torch.equal(network.seen, torch.cat([x_t, cxr], dim=1))


def test_a_noised_radiograph_follows_the_schedule() -> None:
    network, cxr, noise = Recording(random(0)), random(1), random(3)
    for t in (0, 500, 999):
        Denoiser(network, Prediction.EPSILON, SCHEDULE, cxr, noise)(random(2), t)
        assert torch.allclose(network.seen[:, 1:], SCHEDULE.add_noise(cxr, noise, torch.tensor([t, t])), atol=1e-6)
