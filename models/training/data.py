"""What batches are drawn from: dual-energy pairs, unpaired radiographs, projections; bone bright, [0, 1]."""

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

SIZE = 512
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
