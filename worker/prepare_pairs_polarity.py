"""Brings the two pictures of a pair to the clinical polarity, bone bright, or says that neither can be told.

What a header or a file format states is believed and checked against the picture. What nobody states is decided by
the picture: lungs against mediastinum and abdomen for the radiograph (`dicom_node.polarity`), and for the soft-tissue
image whether it goes with the radiograph or against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dicom_node.polarity import SUSPECT_BELOW, polarity_score
from models.pairs.align import check_picture, resized
from models.pairs.errors import PairDataError, PairFault
from models.pairs.source import Polarity

SURE = 0.05
"""Of the mean score of both pictures: over 106 real radiographs the lowest was +0.01, the median +0.4."""
RELATED = 0.3
"""Correlation of two coarse pictures: 0.98 for real pairs, above 0.8 even for two different patients."""
COARSE = (64, 64)


@dataclass(frozen=True)
class BoneBright:
    """Both pictures, (H, W) float32, bone bright, and whether they were turned for it."""

    cxr: NDArray[np.float32]
    soft: NDArray[np.float32]
    cxr_turned: bool
    soft_turned: bool


def bone_bright(
    cxr: NDArray[np.float32], soft: NDArray[np.float32], *, cxr_polarity: Polarity, soft_polarity: Polarity
) -> BoneBright:
    """The pair in the clinical polarity, each picture by what is known of it.

    Raises PairDataError: POLARITY_UNSURE (nothing tells, or the picture contradicts what was stated), PAIR_UNRELATED
    (the pictures have nothing in common), and what `check_picture` finds.
    """
    check_picture(cxr, "radiograph")
    check_picture(soft, "soft-tissue image")
    related = _correlation(cxr, soft)
    if abs(related) < RELATED:
        raise PairDataError(
            PairFault.PAIR_UNRELATED,
            f"expected two pictures of one chest, found a correlation of {related:.2f} between them",
        )
    own, other = polarity_score(cxr), polarity_score(soft) * np.sign(related)
    turn_cxr = _turned(cxr_polarity, float(own), float((own + other) / 2))
    against = related < 0
    turn_soft = turn_cxr != against
    if soft_polarity is not Polarity.UNKNOWN and (soft_polarity is Polarity.DARK) != turn_soft:
        raise PairDataError(
            PairFault.POLARITY_UNSURE,
            f"soft-tissue image: expected bone {soft_polarity} as stated, found it the other way round beside its "
            "radiograph",
        )
    return BoneBright(1 - cxr if turn_cxr else cxr, 1 - soft if turn_soft else soft, turn_cxr, turn_soft)


def _turned(stated: Polarity, own: float, both: float) -> bool:
    """Whether the radiograph must be turned; scores are positive where bone is bright."""
    if stated is not Polarity.UNKNOWN:
        dark = stated is Polarity.DARK
        if (-own if dark else own) < SUSPECT_BELOW:
            raise PairDataError(
                PairFault.POLARITY_UNSURE, f"radiograph: expected bone {stated} as stated, found a picture that looks "
                "the other way round"
            )  # fmt: skip
        return dark
    if abs(both) < SURE:
        raise PairDataError(
            PairFault.POLARITY_UNSURE,
            f"expected lungs that are clearly darker or clearly brighter than the mediastinum, found neither (score "
            f"{both:+.2f}, sure from ±{SURE:g}); --polarity states it",
        )
    return both < 0


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    a, b = (resized(np.clip(picture, 0.0, 1.0), COARSE).ravel() for picture in (first, second))
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
