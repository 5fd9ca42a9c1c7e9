"""Other people's bones: phantoms beside the one CT, and changes of density and cortex. Path integrals, cm of water."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.gaussian import high_pass
from models.phantom.render import attenuation_paths
from models.training.augment import chance, uniform

PHANTOM_SIZE = 480
"""Side of a phantom's path images, pixels of 0.84 mm: about a projection's."""
BONE_FROM_CM = 0.02


def phantom_paths(count: int, seed: int, on_progress: Callable[[int, int], None]) -> Tensor:
    """(count, 2, 480, 480): soft tissue and bone of `count` phantoms with ribs, spine and vessels of their own."""
    drawn: list[Tensor] = []
    for index in range(count):
        drawn.append(torch.from_numpy(np.stack(attenuation_paths(PHANTOM_SIZE, (seed, index)))))
        on_progress(index + 1, count)
    return torch.stack(drawn)


def write_phantoms(paths: Tensor, destination: Path) -> None:
    """Keeps them as half floats in a .npz, as projections are kept."""
    np.savez(destination, soft=paths[:, 0].half().numpy(), bone=paths[:, 1].half().numpy())


def varied(bone: Tensor, generator: torch.Generator) -> Tensor:
    """The same bones (N, 1, H, W) denser here and lighter there, with more or less cortex."""
    n, _, height, width = bone.shape
    field = F.interpolate(torch.randn((n, 1, 5, 5), generator=generator), size=(height, width), mode="bicubic")
    denser = bone * torch.exp(0.25 * field)
    sigma = 1.5 + 2.5 * float(torch.rand((), generator=generator))
    cortex = uniform(n, -0.4, 0.7, generator) * chance(n, 0.5, generator)
    return (denser + cortex * high_pass(denser, sigma) * (denser > BONE_FROM_CM)).clamp_min(0)
