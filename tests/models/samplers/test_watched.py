from __future__ import annotations

import torch
from torch import Tensor

from models.samplers import watched
from models.samplers.dpm_solver import sample_dpm_solver, uniform_timesteps
from models.schedules import cosine_schedule


def test_a_watcher_sees_every_estimate_and_changes_nothing() -> None:
    schedule, x_T = cosine_schedule(), torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    seen: list[tuple[int, Tensor]] = []

    def predict(x_t: Tensor, t: int) -> Tensor:
        return 0.9 * x_t + t / 1000

    def run(denoiser: object) -> Tensor:
        return sample_dpm_solver(denoiser, x_T, uniform_timesteps(5), schedule, lambda _s, _n: None)  # type: ignore[arg-type]

    found = run(watched(predict, lambda t, x0: seen.append((t, x0))))
    assert torch.equal(found, run(predict))
    assert [t for t, _ in seen] == list(uniform_timesteps(5))
    assert torch.equal(seen[-1][1], found)
