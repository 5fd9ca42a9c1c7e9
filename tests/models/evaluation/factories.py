"""Small stand-ins for what is evaluated: pictures on disk, a projection file, models that do what a test needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.phantom import Phantom, render
from models.samplers import OnStep
from models.suppressor import ModelIdentity

SIDE = 96


@lru_cache(maxsize=8)
def _phantom(side: int, seed: int) -> Phantom:
    return render(side, seed)


def write_png(path: Path, display: NDArray[np.floating], bits: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.rint(display.clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    Image.fromarray(stored).save(path)
    return path


def write_pairs(folder: Path, names: Sequence[str] = ("a", "b"), side: int = SIDE, bits: int = 16) -> list[Phantom]:
    """`folder/cxr` and `folder/truth` of phantoms."""
    phantoms = [_phantom(side, seed) for seed, _ in enumerate(names, start=7)]
    for name, phantom in zip(names, phantoms, strict=True):
        write_png(folder / "cxr" / f"{name}.png", phantom.radiograph, bits)
        write_png(folder / "truth" / f"{name}.png", phantom.soft_tissue, bits)
    return phantoms


def chest_paths(count: int, height: int = 220, width: int = 320) -> tuple[Tensor, Tensor]:
    """Soft tissue and bone of `count` chests, cm of water: an oval body with two lungs, and slanting ribs."""
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    soft = 20 * (1 - (columns / 0.9) ** 2 - (rows / 1.6) ** 2).clamp_min(0).sqrt()
    for side in (-1, 1):
        soft = soft - 9 * (1 - ((columns - 0.4 * side) / 0.25) ** 2 - (rows / 0.7) ** 2).clamp_min(0).sqrt()
    ribs = 0.8 * (torch.sin(18 * (rows + 0.4 * columns.abs())) > 0) * (columns.abs() < 0.75)
    return soft.clamp_min(0).repeat(count, 1, 1), ribs.float().repeat(count, 1, 1)


def write_projections(path: Path, count: int = 10) -> Path:
    soft, bone = chest_paths(count)
    np.savez(path, soft=soft.half().numpy(), bone=bone.half().numpy())
    return path


class FakeSuppressor:
    """A model of a residual that the test gives as a function of the radiograph and the seed."""

    def __init__(
        self, residual: Callable[[Tensor, int], Tensor], sampler: str = "ddpm", size: int = SIDE, name: str = "fake"
    ) -> None:
        self.identity = ModelIdentity(name, "0", "fake", "0" * 64, sampler, 4, "float32", "cpu")
        self.image_size = size
        self.seen: list[int] = []
        self._residual = residual

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        self.seen += seeds
        on_step(1, 1)
        return torch.cat([self._residual(image[None], seed) for image, seed in zip(cxr, seeds, strict=True)])


def idle(name: str = "idle") -> FakeSuppressor:
    """Takes nothing away."""
    return FakeSuppressor(lambda cxr, _seed: torch.zeros_like(cxr), "one-pass", name=name)
