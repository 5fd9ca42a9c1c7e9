from __future__ import annotations

import torch
from torch import nn

from models.device.matmul_rate import best_seconds, count_flop, matmul_rate

CPU = torch.device("cpu")


def test_the_rate_is_that_of_a_machine() -> None:
    assert 1e8 < matmul_rate(CPU, rounds=2, sides=(128,)) < 1e15


def test_the_first_run_does_not_count_and_the_shortest_of_the_others_does() -> None:
    calls: list[int] = []
    assert best_seconds(lambda: calls.append(1), CPU, rounds=3) < 1.0
    assert len(calls) == 4


def test_operations_are_two_for_each_multiply_accumulate() -> None:
    convolution = nn.Conv2d(3, 5, 3, padding=1)
    assert count_flop(convolution, torch.zeros(2, 3, 8, 8)) == 2 * 2 * 5 * 3 * 9 * 64
