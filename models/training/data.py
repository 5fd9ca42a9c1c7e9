"""The development data as tensors: dual-energy pairs, unpaired radiographs, CT projections; bone bright, [0, 1].

The folder holds `pairs/cxr` and `pairs/soft_tissue` (same file name = same exposure), `radiographs/*`, `ct/*.npz`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.gaussian import gaussian_blur, high_pass
from models.metrics import fit
from models.training.projections import read_projections

SIZE = 512
CT_FILE = Path("ct/lidc_idri_0314.npz")
HELD_OUT_PROJECTIONS = 8
GRAIN_SIGMA, DETAIL_SIGMA, NEIGHBOURHOOD_SIGMA = 1.0, 5.0, 8.0  # px of 512
MOTION = 0.015
"""Detail of a soft-tissue image that its radiograph does not explain, RMS in display units, that halves the trust."""


@dataclass(frozen=True)
class Pair:
    """One exposure, (H, W) float32 [0, 1] each: the radiograph and the dual-energy soft-tissue image."""

    name: str
    cxr: NDArray[np.float32]
    soft: NDArray[np.float32]


@dataclass(frozen=True)
class TrainingData:
    """What batches are drawn from, all (N, C, H, W) float32, display units."""

    pairs: Tensor
    """(P, 4, 512, 512): radiograph; bone residual = radiograph - soft-tissue image fitted to the radiograph's tone; how
    far the residual can be trusted, 0 to 1; where the lungs are, 0 or 1."""
    projections: Tensor
    """(N, 3, 352, 512): path integrals of soft tissue and of bone, cm of water; lungs."""
    radiographs: Tensor
    """(R, 2, 512, 512): unpaired, letterboxed; lungs."""
    phantoms: Tensor = field(default_factory=lambda: torch.zeros(0, 3, 480, 480))
    """(M, 3, 480, 480): phantoms, as `projections`; may be empty."""


def read_training_data(folder: Path, projections: Path, *, held_out: frozenset[str]) -> TrainingData:
    """Everything but the pairs named in `held_out` and the last projections, which evaluation keeps for itself."""
    pairs = [pair for pair in read_pairs(folder) if pair.name not in held_out]
    projected = read_projections(projections)
    both = torch.stack([projected.soft, projected.bone], 1)[:-HELD_OUT_PROJECTIONS]
    return TrainingData(torch.stack([_with_residual(pair) for pair in pairs]), both, read_radiographs(folder))


def read_pairs(folder: Path) -> list[Pair]:
    """The pairs in `folder`, in order of their names (file names without ending)."""
    return [
        Pair(path.stem, read_grey(path), read_grey(folder / "pairs/soft_tissue" / path.name))
        for path in sorted((folder / "pairs/cxr").glob("*.png"))
    ]


def read_radiographs(folder: Path, size: int = SIZE) -> Tensor:
    """The unpaired radiographs, (R, 1, size, size), aspect kept, the rest black."""
    paths = sorted(path for path in (folder / "radiographs").rglob("*") if path.suffix.lower() in (".png", ".jpg"))
    return torch.cat([letterboxed(torch.from_numpy(read_grey(path))[None, None], size) for path in paths])


def read_grey(path: Path) -> NDArray[np.float32]:
    """An 8-bit picture as (H, W) float32, [0, 1]."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float32) / np.float32(255)


def letterboxed(image: Tensor, size: int) -> Tensor:
    """(N, C, H, W) → (N, C, size, size): longer side fitted, centred, the rest 0."""
    height, width = image.shape[2:]
    scale = size / max(height, width)
    new = (min(size, round(height * scale)), min(size, round(width * scale)))
    small = F.interpolate(image, size=new, mode="bilinear", antialias=True)
    top, left = (size - new[0]) // 2, (size - new[1]) // 2
    return F.pad(small, (left, size - new[1] - left, top, size - new[0] - top))


def _with_residual(pair: Pair) -> Tensor:
    residual = pair.cxr - fit(pair.soft, pair.cxr).astype(np.float32)
    both = torch.from_numpy(np.stack([pair.cxr, residual]))[None]
    both = F.interpolate(both, size=SIZE, mode="bilinear", antialias=True)
    return torch.cat([both, trust(both[:, :1], both[:, 1:])], 1)[0]


def trust(cxr: Tensor, residual: Tensor) -> Tensor:
    """How far each pixel of a pair can be trusted, (N, 1, H, W), 0 to 1; display units.

    Where heart, diaphragm or vessels moved between the exposures, the soft-tissue image shows detail that the
    radiograph does not explain: a network that learns from it draws shadows along every diaphragm.
    """
    in_soft, in_cxr = (high_pass(gaussian_blur(image, GRAIN_SIGMA), DETAIL_SIGMA) for image in (cxr - residual, cxr))
    both, soft, radiograph = (
        gaussian_blur(product, NEIGHBOURHOOD_SIGMA) for product in (in_soft * in_cxr, in_soft**2, in_cxr**2)
    )
    unexplained = (soft - both**2 / (radiograph + 1e-7)).clamp_min(0).sqrt()
    return 1 / (1 + (unexplained / MOTION) ** 6)
