"""How much a result differs from its source: the figures of the report, from arrays alone. Pure, numpy only.

With s the source, r the bone residual that was taken away and s − r the result, all (H, W) in display units (0…1 across
the source's window); P the pixels of the patient. Figures over the whole image see every pixel; those of the fine
structure see every k-th band of rows of a large image, so that the figures cost a small part of a result.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dicom_node.quality_figures import QualityFigures

_Scalar = TypeVar("_Scalar", np.float32, np.bool_)

VISIBLE = 0.005
"""Of the display range: a change of about one grey level of 256, the least that an eye may see."""
BLOCK = 4
"""Pixels, a side: structure finer than this is called fine (0.6 to 1.4 mm, grain and the edges of vessels). On a real
radiograph of 0.35 mm a good result keeps 0.87 and one that is merely blurred 0.70; with 16 it would be 0.81 and 0.92,
since ribs are then part of what is called fine."""
FINE_PIXELS = 1_000_000
"""About as many pixels as the fine structure is measured on."""


def quality_of(
    source: NDArray[np.float32],
    residual: NDArray[np.float32],
    patient: NDArray[np.bool_],
    spread: NDArray[np.float32] | None = None,
) -> QualityFigures:
    """The figures of `source` − `residual`; `patient` (H, W) marks the pixels that show the patient and may change.

    `spread` (H, W): the standard deviation over the seeds, display units; None where one seed ran.
    """
    if not source.shape == residual.shape == patient.shape or (spread is not None and spread.shape != source.shape):
        raise ValueError(f"expected arrays of one shape, found {source.shape}, {residual.shape}, {patient.shape}")
    change = np.abs(residual)
    return QualityFigures(
        changed_share_percent=changed_share_percent(change),
        mean_change_percent=100.0 * float(change.mean()),
        largest_change_percent=100.0 * float(change.max()),
        largest_change_outside_percent=largest_change_outside_percent(change, patient),
        fine_structure_correlation=fine_structure_correlation(source, residual, patient),
        mean_spread_percent=None if spread is None else mean_spread_percent(spread, patient),
    )


def changed_share_percent(change: NDArray[np.float32]) -> float:
    """100 · share of all pixels with |r| > VISIBLE."""
    return 100.0 * float(np.count_nonzero(change > np.float32(VISIBLE)) / change.size)


def largest_change_outside_percent(change: NDArray[np.float32], patient: NDArray[np.bool_]) -> float | None:
    """100 · max |r| over the pixels not in P; None when P is the whole image."""
    if patient.all():
        return None
    return 100.0 * float(np.max(change, initial=0.0, where=~patient))


def mean_spread_percent(spread: NDArray[np.float32], patient: NDArray[np.bool_]) -> float | None:
    """100 · mean of the spread over P; None when P is empty."""
    inside = np.count_nonzero(patient)
    return 100.0 * float(np.sum(spread, where=patient, dtype=np.float64) / inside) if inside else None


def fine_structure_correlation(
    source: NDArray[np.float32], residual: NDArray[np.float32], patient: NDArray[np.bool_]
) -> float | None:
    """Σ h(s)·h(s − r) / √(Σ h(s)² · Σ h(s − r)²), h(x) = x − the mean of x over its block of BLOCK × BLOCK pixels.

    Over the blocks that lie wholly in P. 1 where nothing finer than a block was changed; 0 where nothing of it is left.
    None when no block lies in P or the source has no fine structure there.
    """
    inside = np.asarray(_bands(patient).all(axis=(1, 3)), np.bool_)
    fine_source, fine_residual = _fine(_bands(source), inside), _fine(_bands(residual), inside)
    fine_result = fine_source - fine_residual
    energy_source, energy_result = (float(np.dot(one, one)) for one in (fine_source, fine_result))
    # Below a millionth of the display range is rounding, not structure.
    least = 1e-12 * max(1, int(inside.sum())) * BLOCK * BLOCK
    if energy_source <= least:
        return None
    if energy_result <= least:
        return 0.0
    correlation = float(np.dot(fine_source, fine_result)) / np.sqrt(energy_source * energy_result)
    return float(np.clip(correlation, -1.0, 1.0))


def _bands(image: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """(bands, BLOCK, blocks a band, BLOCK) of the bands of rows that are looked at."""
    rows, columns = (side // BLOCK for side in image.shape)
    every = max(1, round(image.size / FINE_PIXELS))
    bands = image[: rows * BLOCK].reshape(rows, BLOCK, image.shape[1])[::every, :, : columns * BLOCK]
    return bands.reshape(len(bands), BLOCK, columns, BLOCK)


def _fine(bands: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """h of the blocks of `inside` (bands, blocks), 0 in the others, as one row of float32."""
    means = bands.sum(axis=1).sum(axis=2) / np.float32(BLOCK * BLOCK)
    fine = (bands - means[:, None, :, None]) * inside[:, None, :, None]
    return np.asarray(fine.ravel(), np.float32)
