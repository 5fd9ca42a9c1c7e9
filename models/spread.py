"""Several samples of one radiograph: their mean, and how far apart they lie.

A diffusion model gives another bone residual with every seed. The mean of n is closer to the truth (by 10·log10(2/(1 +
1/n)) dB where the samples scatter about it), and where they differ the model does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from models.samplers import OnStep
from models.suppressor import ModelIdentity, Suppressor

AUTOMATIC_ON_CUDA = 4
ONE_PASS = "one-pass"


@dataclass(frozen=True)
class SeededResidual:
    """The result over all seeds, each (1, 1, S, S) float32 on the CPU in the unit of the radiograph."""

    mean: Tensor
    spread: Tensor | None
    """Standard deviation over the seeds (n − 1), per pixel; None for one seed."""


def seeds_of(identity: ModelIdentity, first: int, wanted: int) -> tuple[int, ...]:
    """The seeds of one image: `wanted` of them from `first` on.

    0 leaves it to the machine: 4 on CUDA, where they fit one batch, 1 on the CPU. Models with nothing random take one.
    """
    automatic = AUTOMATIC_ON_CUDA if identity.device.startswith("cuda") else 1
    count = 1 if identity.sampler == ONE_PASS else wanted or automatic
    return tuple(range(first, first + count))


def seeded_residual(suppressor: Suppressor, cxr: Tensor, seeds: Sequence[int], on_step: OnStep) -> SeededResidual:
    """`cxr`, (1, 1, S, S) float32 in [-1, 1], once with each of `seeds`, in one batch as far as the model's owner takes
    it. Raises what the model raises."""
    residuals = suppressor.bone_residual(cxr.expand(len(seeds), -1, -1, -1), seeds=seeds, on_step=on_step)
    if len(seeds) == 1:
        return SeededResidual(residuals, None)
    return SeededResidual(residuals.mean(0, keepdim=True), residuals.std(0, keepdim=True))
