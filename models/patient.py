"""Where a radiograph shows the patient: outside nothing may change, so there a residual is taken back.

Outside is what hangs together with the image's edge and is very dark, or dark and without any grain (collimation), and
what lies in it like an island: a side marker in a corner. It is meant to be sure rather than complete.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.regions import air_or_collimation, edge, reached

SIDE = 256
VERY_DARK, DARK = 0.05, 0.30
"""Of the way from the image's 0.5th to its 99.5th percentile."""
GRAINLESS = 0.003
"""Standard deviation over 5 x 5 reduced pixels, of the same range."""
SKIN, RAMP = 1, 2
"""Reduced pixels outside the patient that count as patient, and over which the weight then falls: skin and ribs keep
their whole change, and beyond three pixels nothing is left."""


def within_patient(residual: NDArray[np.float32], display: NDArray[np.float32]) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) each, with nothing left of it outside the patient."""
    weight = patient_weight(torch.from_numpy(np.ascontiguousarray(display, np.float32))[None, None])
    kept: NDArray[np.float32] = residual * weight[0, 0].numpy()
    return kept


def patient_weight(cxr: Tensor) -> Tensor:
    """(N, 1, H, W) in any unit, bone bright → (N, 1, H, W) float32: 1 in the patient, 0 outside, a ramp between."""
    return torch.cat([_one(image[None].float().cpu()) for image in cxr]).to(cxr.device)


def _one(image: Tensor) -> Tensor:
    reduced = F.interpolate(image, size=_reduced(image.shape[2:]), mode="bilinear", antialias=True)
    low, high = torch.quantile(reduced, torch.tensor([0.005, 0.995])).tolist()
    if high - low < 1e-3:
        return torch.ones_like(image)
    dark = air_or_collimation((reduced - low) / (high - low), very_dark=VERY_DARK, dark=DARK, grainless=GRAINLESS)
    patient = reached(_middle(reduced), 1 - reached(edge(reduced), dark))
    if not bool(patient.any()):
        return torch.ones_like(image)
    near = F.max_pool2d(patient, 2 * SKIN + 1, 1, SKIN)
    ramp = F.avg_pool2d(F.pad(near, (RAMP,) * 4, mode="replicate"), 2 * RAMP + 1, 1)
    return F.interpolate(torch.maximum(ramp, patient), size=image.shape[2:], mode="bilinear")


def _reduced(shape: torch.Size) -> tuple[int, int]:
    scale = min(1.0, SIDE / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _middle(plane: Tensor) -> Tensor:
    """The middle half in both directions: whatever hangs together with it is the patient."""
    seeds = torch.zeros_like(plane)
    height, width = plane.shape[2:]
    seeds[..., height // 4 : height - height // 4, width // 4 : width - width // 4] = 1
    return seeds
