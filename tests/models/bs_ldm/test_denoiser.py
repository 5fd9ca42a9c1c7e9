"""What the sampler is given at each timestep, with a network that says what it is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.bs_ldm.config import BsLdmConfig, Condition
from models.bs_ldm.denoiser import Denoiser
from models.samplers.sde_dpm_solver import even_lambda_timesteps, sample_sde_dpm_solver
from models.schedules import Prediction, cosine_schedule
from models.thresholding import threshold
from tests.models.bs_ldm.factories import CONFIG

SCHEDULE = cosine_schedule()
CXR = torch.full((1, 4, 8, 8), 0.5)


class Recording:
    """Answers with `output` and keeps what it saw."""

    def __init__(self, output: Tensor) -> None:
        self.output = output
        self.seen: list[tuple[Tensor, int]] = []

    def __call__(self, x: Tensor, t: int) -> Tensor:
        self.seen.append((x, t))
        return torch.cat([self.output, self.output], 1)


def denoiser(network: Recording, **config: object) -> Denoiser:
    changed: BsLdmConfig = replace(CONFIG, **config)  # type: ignore[arg-type]
    return Denoiser(network, changed, SCHEDULE, CXR)  # type: ignore[arg-type]


@pytest.mark.parametrize("t", [0, 4, 500, 950, 998, 999])
def test_the_bound_of_x0_hangs_on_the_timestep_alone(t: int) -> None:
    predict = denoiser(Recording(torch.full((1, 4, 8, 8), 100.0)), prediction=Prediction.X0)
    for earlier in (999, 3, 600):
        predict(torch.zeros(1, 4, 8, 8), earlier)
    assert float(predict(torch.zeros(1, 4, 8, 8), t).max()) == pytest.approx(threshold(t))


def test_few_steps_meet_the_same_bounds_as_the_thousand() -> None:
    bounds: list[float] = []
    predict = denoiser(Recording(torch.full((1, 4, 8, 8), 100.0)), prediction=Prediction.X0)

    def watch(x_t: Tensor, t: int) -> Tensor:
        x0 = predict(x_t, t)
        bounds.append(float(x0.max()))
        return x0

    timesteps = even_lambda_timesteps(10, 950, SCHEDULE)
    noise = torch.zeros(1, 4, 8, 8)
    sample_sde_dpm_solver(watch, noise, lambda _t: noise, timesteps, SCHEDULE, lambda _s, _n: None)
    assert bounds == pytest.approx([threshold(t) for t in timesteps])


@pytest.mark.parametrize("t", [4, 500, 950])
@pytest.mark.parametrize("condition", list(Condition))
def test_the_radiographs_latent_is_fed_clean_or_as_in_training(condition: Condition, t: int) -> None:
    network = Recording(torch.zeros(1, 4, 8, 8))
    denoiser(network, condition=condition)(torch.zeros(1, 4, 8, 8), t)
    seen, timestep = network.seen[0]
    share = SCHEDULE.alpha_sigma(t)[0] if condition is Condition.SCALED else 1.0
    torch.testing.assert_close(seen[:, 4:], share * CXR)
    assert timestep == t


@pytest.mark.parametrize("t", [4, 300, 900])
def test_the_three_predictions_of_one_truth_give_the_same_x0(t: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(1, 4, 8, 8, generator=generator).clamp(-1.3, 1.3) for _ in range(2))
    batch = torch.tensor([t])
    x_t = SCHEDULE.add_noise(x0, noise, batch)
    for kind in Prediction:
        network = Recording(SCHEDULE.target(kind, x0, noise, batch))
        torch.testing.assert_close(denoiser(network, prediction=kind)(x_t, t), x0, atol=2e-4, rtol=1e-3)
