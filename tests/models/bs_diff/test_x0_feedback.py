from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.bs_diff.x0_feedback import iterate_x0
from models.schedules import cosine_schedule


def test_each_estimate_is_the_next_timesteps_input_and_nothing_else_enters() -> None:
    inputs: list[tuple[float, int]] = []

    def predict_x0(x: Tensor, t: int) -> Tensor:
        inputs.append((x.item(), t))
        return x + 1

    steps: list[tuple[int, int]] = []
    seen: dict[int, float] = {}
    start = torch.full((1, 1, 1, 1), 5.0)
    result = iterate_x0(
        predict_x0,
        start,
        cosine_schedule(),
        lambda *step: steps.append(step),
        lambda t, x: seen.update({t: x.item()}),
    )
    assert inputs == [(5.0 + i, 999 - i) for i in range(1000)]
    assert steps == [(i, 1000) for i in range(1, 1001)]
    assert (seen[999], seen[0], result.item()) == (6.0, 1005.0, 1005.0)
    assert start.item() == 5.0


def test_what_a_step_raises_ends_it() -> None:
    def stop(step: int, _total: int) -> None:
        if step == 3:
            raise TimeoutError

    evaluated: list[int] = []
    with pytest.raises(TimeoutError):
        iterate_x0(lambda x, t: evaluated.append(t) or x, torch.zeros(1, 1, 1, 1), cosine_schedule(), stop)
    assert evaluated == [999, 998, 997]
