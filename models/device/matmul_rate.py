"""The rate of matrix products that this machine reaches now: the yardstick of the benchmarks.

A convolution is a matrix product with a better or worse way of fetching its operands, so a network's arithmetic per
second, as a share of this rate, says how much of the machine it uses, whatever else runs beside it at the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

SIDES = (1024, 2048)

Clock = Callable[[], float]


def matmul_rate(
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    *,
    rounds: int = 5,
    sides: tuple[int, ...] = SIDES,
    clock: Clock = time.perf_counter,
) -> float:
    """FLOP/s of the fastest of some square products, with the threads that torch has now."""
    best = 0.0
    for side in sides:
        a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        out = torch.empty_like(a)
        seconds = best_seconds(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), device, rounds=rounds, clock=clock)  # type: ignore[misc]
        best = max(best, 2 * side**3 / seconds)
    return best


def best_seconds(
    work: Callable[[], object],
    device: torch.device,
    *,
    rounds: int,
    clock: Clock = time.perf_counter,
    warm: bool = True,
) -> float:
    """The shortest of `rounds` runs, after one that is not counted where `warm`.

    `clock` `time.process_time` counts what this process computed, which other work on the machine lengthens little.
    """
    if warm:
        work()
    shortest = float("inf")
    for _ in range(rounds):
        _wait_for(device)
        began = clock()
        work()
        _wait_for(device)
        shortest = min(shortest, clock() - began)
    return shortest


def count_flop(network: nn.Module, *inputs: Tensor) -> int:
    """Floating-point operations of one call: two for each multiply-accumulate of its products and convolutions."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    return int(counter.get_total_flops())


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
