"""The cosine noise schedule and what a network's output means in it.

x_t = √ᾱ_t·x₀ + √(1 − ᾱ_t)·ε with ᾱ of Nichol & Dhariwal 2021 (arXiv 2102.09672), eq. 17, as `squaredcos_cap_v2` of
diffusers has it: β_t = min(1 − f(t+1)/f(t), 0.999) in float64, rounded to float32, ᾱ their cumulative product. Own
training uses offset noise (BS-LDM: ε ~ N(0, I + λΣ), λ = 0.1).
"""

from __future__ import annotations

import math
from enum import StrEnum
from functools import lru_cache

import torch
from torch import Tensor

OFFSET_NOISE = 0.1
MAX_BETA = 0.999


class Prediction(StrEnum):
    """What the network was trained to predict."""

    EPSILON = "epsilon"
    V = "v"
    X0 = "x0"


class CosineSchedule:
    """β_t and ᾱ_t for t = 0 … T−1, as Python floats (no device, no host sync in a sampling loop) and as tensors."""

    def __init__(self, timesteps: int = 1000) -> None:
        def f(u: float) -> float:
            return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [min(1 - f((t + 1) / timesteps) / f(t / timesteps), MAX_BETA) for t in range(timesteps)]
        beta = torch.tensor(betas, dtype=torch.float64).to(torch.float32)
        self.timesteps = timesteps
        self.alpha_bar_tensor = torch.cumprod(1.0 - beta, dim=0)
        """(T,) float32 on the CPU, for training."""
        # Between two rounded ᾱ, β is 1 − ᾱ_t/ᾱ_{t−1}, not the β they were made of: at t = 1 the two differ by 0.1 %,
        # and the published sampler uses the former.
        before = torch.cat([torch.ones(1), self.alpha_bar_tensor[:-1]])
        self.beta: tuple[float, ...] = tuple((1.0 - self.alpha_bar_tensor / before).tolist())
        self.alpha_bar: tuple[float, ...] = tuple(self.alpha_bar_tensor.tolist())
        # Rounded to float32 before and after the root, as published and as in `add_noise`.
        self._alpha: tuple[float, ...] = tuple(self.alpha_bar_tensor.sqrt().tolist())
        self._sigma: tuple[float, ...] = tuple((1.0 - self.alpha_bar_tensor).sqrt().tolist())

    def alpha_sigma(self, t: int) -> tuple[float, float]:
        """(√ᾱ_t, √(1 − ᾱ_t)): the share of signal and of noise in x_t."""
        return self._alpha[t], self._sigma[t]

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t for a batch: x0, noise (N, C, H, W), t (N,) int64."""
        alpha_bar = self.alpha_bar_tensor.to(x0.device)[t].view(-1, 1, 1, 1).to(x0.dtype)
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise

    def target(self, kind: Prediction, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the network must say for x_t: the training target of `kind`, (N, C, H, W)."""
        if kind is Prediction.EPSILON:
            return noise
        if kind is Prediction.X0:
            return x0
        alpha_bar = self.alpha_bar_tensor.to(x0.device)[t].view(-1, 1, 1, 1).to(x0.dtype)
        return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * x0

    def to_x0(self, kind: Prediction, output: Tensor, x_t: Tensor, t: int) -> Tensor:
        """x̂₀ from the network's output at timestep t (Salimans & Ho 2022 for v); not thresholded."""
        alpha, sigma = self.alpha_sigma(t)
        if kind is Prediction.EPSILON:
            return (x_t - sigma * output) / alpha
        if kind is Prediction.V:
            return alpha * x_t - sigma * output
        return output


@lru_cache(maxsize=4)
def cosine_schedule(timesteps: int = 1000) -> CosineSchedule:
    """The schedule for T timesteps; T = 1000 as published."""
    return CosineSchedule(timesteps)


def offset_noise(
    shape: tuple[int, int, int, int], generator: torch.Generator, strength: float = OFFSET_NOISE
) -> Tensor:
    """ε + λ·δ with δ constant over each channel's plane: (N, C, H, W) float32 on the CPU. For training only."""
    n, c, _, _ = shape
    return torch.randn(shape, generator=generator) + strength * torch.randn((n, c, 1, 1), generator=generator)
