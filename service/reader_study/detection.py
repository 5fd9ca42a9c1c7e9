"""Precision, recall and F1 of the two readings, with their uncertainty.

precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN), over all marks of all readers and
cases together; None where nothing stands below the line.

The intervals are percentile bootstrap intervals (B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, ch.
13). Cases and readers are both drawn anew, each as a whole, so that what one case or one reader does to both readings
stays together (S. V. Beiden, R. F. Wagner, G. Campbell, Acad. Radiol. 7 (2000) 341-349); with one reader only the cases
are. A draw in which a figure is not defined is left out of its interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE_LEVEL = 0.95
DRAWS = 2000
TP, FP, FN = range(3)


@dataclass(frozen=True)
class Estimate:
    """A figure with the ends of its 95 % interval; None: not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Detection:
    """How well findings were found."""

    true_positives: int
    false_positives: int
    false_negatives: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True)
class Comparison:
    """Both readings of the same cases by the same readers; the differences are with soft tissue minus alone."""

    original: Detection
    with_soft_tissue: Detection
    precision_gain: Estimate
    recall_gain: Estimate
    f1_gain: Estimate


def compare(counts: NDArray[np.int64], *, seed: int, draws: int = DRAWS) -> Comparison:
    """Compare the two readings.

    `counts` is (readers, cases, 2, 3): readings in the order alone, with soft tissue; TP, FP, FN. What a reader has not
    read in both ways is 0 throughout. The same `seed` gives the same intervals.
    """
    readers, cases = counts.shape[:2]
    if counts.shape[2:] != (2, 3):
        raise ValueError(f"expected counts of (readers, cases, 2, 3), found {counts.shape}")
    point = _figures(counts.sum(axis=(0, 1), dtype=np.float64)[None])[0]
    drawn = _figures(_drawn_totals(counts, readers, cases, seed, draws))
    sums = counts.sum(axis=(0, 1))
    return Comparison(
        _detection(sums[0], point[0], drawn[:, 0]),
        _detection(sums[1], point[1], drawn[:, 1]),
        *(
            _estimate(point[1, figure] - point[0, figure], drawn[:, 1, figure] - drawn[:, 0, figure])
            for figure in range(3)
        ),
    )


def _drawn_totals(counts: NDArray[np.int64], readers: int, cases: int, seed: int, draws: int) -> NDArray[np.float64]:
    """(draws, 2, 3): the counts of each draw, in which a reader or case may occur several times or not at all."""
    random = np.random.default_rng(seed)
    case_weights = random.multinomial(cases, np.full(cases, 1 / cases), size=draws)
    if readers > 1:
        reader_weights = random.multinomial(readers, np.full(readers, 1 / readers), size=draws)
    else:
        reader_weights = np.ones((draws, readers), dtype=np.int64)
    weighted = np.einsum("br,rckm->bckm", reader_weights, counts, dtype=np.float64)
    return np.asarray(np.einsum("bc,bckm->bkm", case_weights, weighted), dtype=np.float64)


def _figures(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 3) TP, FP, FN to (…, 3) precision, recall, F1; NaN where not defined."""
    tp, fp, fn = totals[..., TP], totals[..., FP], totals[..., FN]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([tp / (tp + fp), tp / (tp + fn), 2 * tp / (2 * tp + fp + fn)], axis=-1)


def _detection(sums: NDArray[np.int64], point: NDArray[np.float64], drawn: NDArray[np.float64]) -> Detection:
    estimates = [_estimate(point[figure], drawn[:, figure]) for figure in range(3)]
    return Detection(int(sums[TP]), int(sums[FP]), int(sums[FN]), *estimates)


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    defined = drawn[~np.isnan(drawn)]
    if np.isnan(value) or defined.size == 0:
        return Estimate(None)
    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))
