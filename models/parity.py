"""Does `fast` give what `reference` gives? Figures of the two residuals of one radiograph, and the verdict.

Few steps regress to the mean: the error falls and texture goes with it, so the verdict looks at both. Energies are
means of squared detail, what a Gaussian of 6 px in 1024 takes away; that of the residual is the stricter one, because a
delivered image has most of its detail from the radiograph itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.gaussian import high_pass
from models.metrics import bone_left, detail_kept, tone_fitted_psnr

MAX_PSNR_DROP_DB = 0.1
MAX_ENERGY_CHANGE = 0.05
DETAIL_SHARE_OF_SIDE = 6 / 1024
EMPTY_ENERGY = 1e-12


@dataclass(frozen=True)
class Parity:
    """`fast` against `reference`, of one radiograph or the mean of several."""

    psnr_drop_db: float
    """Tone-fitted PSNR to the true soft tissue: of `reference` minus that of `fast`; below 0 `fast` is closer."""
    soft_energy_change: float
    """High-frequency energy of the soft-tissue image: `fast` / `reference` − 1."""
    residual_energy_change: float
    """The same of the bone residual."""
    detail_change: float
    """Share of the truth's vessels kept away from bone: `fast` − `reference`."""
    bone_left_change: float
    """Share of the bone still there: `fast` − `reference`."""

    @property
    def passed(self) -> bool:
        """Whether `fast` may stand for `reference`. False for figures that are not numbers."""
        return (
            self.psnr_drop_db <= MAX_PSNR_DROP_DB
            and abs(self.soft_energy_change) <= MAX_ENERGY_CHANGE
            and abs(self.residual_energy_change) <= MAX_ENERGY_CHANGE
        )


def compare(cxr: Tensor, truth: Tensor, fast: Tensor, reference: Tensor) -> Parity:
    """One radiograph: itself, its true soft tissue and the two residuals, each (1, 1, S, S) float32, [-1, 1] units."""
    soft_fast, soft_reference = cxr - fast, cxr - reference
    x, y, f, r = (_display(image) for image in (cxr, truth, soft_fast, soft_reference))
    return Parity(
        psnr_drop_db=tone_fitted_psnr(r, y) - tone_fitted_psnr(f, y),
        soft_energy_change=_change(soft_fast, soft_reference),
        residual_energy_change=_change(fast, reference),
        detail_change=detail_kept(f, x, y) - detail_kept(r, x, y),
        bone_left_change=bone_left(f, x, y) - bone_left(r, x, y),
    )


def mean_parity(each: Sequence[Parity]) -> Parity:
    """The mean of each figure, which the verdict is made of."""
    return Parity(*(float(value) for value in np.mean([astuple(one) for one in each], axis=0)))


def _change(fast: Tensor, reference: Tensor) -> float:
    energies = [_energy(fast), _energy(reference)]
    if max(energies) < EMPTY_ENERGY:
        return 0.0
    return energies[0] / max(energies[1], EMPTY_ENERGY) - 1


def _energy(image: Tensor) -> float:
    return float(high_pass(image, DETAIL_SHARE_OF_SIDE * image.shape[-1]).square().mean())


def _display(image: Tensor) -> NDArray[np.float32]:
    return np.asarray((image[0, 0].numpy() + 1) / 2, np.float32)
