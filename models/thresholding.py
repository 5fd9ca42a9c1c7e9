"""Temporal adaptive thresholding of x̂₀ (BS-LDM, arXiv 2412.15670, eq. s = ω·t + b).

The published loop starts at 1.4 and adds 0.003 after each of its 1000 steps save the first; in closed form
s(t) = 1.4 + 0.003·max(0, 998 − t). It hangs on the timestep, never on the step's index, so that a sampler with fewer
steps meets the same bounds.
"""

from __future__ import annotations

from torch import Tensor

START = 1.4
RATE = 0.003
LAST_NARROW_TIMESTEP = 998


def threshold(t: int, start: float = START, rate: float = RATE) -> float:
    """s(t): 1.4 for t ≥ 998, widening to 4.394 at t = 0."""
    return start + rate * max(0, LAST_NARROW_TIMESTEP - t)


def clamp_x0(x0: Tensor, t: int) -> Tensor:
    """x̂₀ clamped to ±s(t)."""
    s = threshold(t)
    return x0.clamp(-s, s)
