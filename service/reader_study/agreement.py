"""Agreement between readers on an ordinal scale: Krippendorff's alpha for all of them, weighted kappa for each pair.

Alpha takes any number of readers and leaves out what was not scored; kappa is what papers quote for two. Both are 1 for
full agreement and 0 for chance. Neither is defined where all scores are the same (there is no chance to differ from):
None, not 1.

Sources: K. Krippendorff, Content Analysis, 4th ed. (2018), ch. 12, with the ordinal metric; J. Cohen, Weighted kappa,
Psychological Bulletin 70 (1968) 213-220, with quadratic weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def krippendorff_alpha(units: Sequence[Sequence[int]]) -> float | None:
    """Ordinal alpha; `units` holds, for each case, the scores that it was given, in any order.

    alpha = 1 - D_observed / D_expected over the coincidence matrix o, with the squared ordinal difference
    delta(c, k)² = (sum of n_g for g from c to k - (n_c + n_k) / 2)². Cases with fewer than two scores say nothing.
    """
    pairable = [unit for unit in units if len(unit) >= 2]
    categories = sorted({score for unit in pairable for score in unit})
    if len(categories) < 2:
        return None
    place = {category: index for index, category in enumerate(categories)}
    coincidences = np.zeros((len(categories), len(categories)))
    for unit in pairable:
        counts = np.zeros(len(categories))
        for score in unit:
            counts[place[score]] += 1
        # Every ordered pair of two different scores of the case, weighted so that each score counts once.
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=1)
    difference = _ordinal_difference(totals)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    return float(1 - (coincidences * difference).sum() / (expected * difference).sum())


def weighted_kappa(one: Sequence[int], other: Sequence[int], *, lowest: int, highest: int) -> float | None:
    """Cohen's kappa with weights (i - j)²; the two readers' scores of the same cases, in the same order.

    kappa = 1 - sum(w · observed) / sum(w · expected). Raises ValueError unless both are of one length, in range.
    """
    if len(one) != len(other):
        raise ValueError(f"expected as many scores of both readers, found {len(one)} and {len(other)}")
    if any(score not in range(lowest, highest + 1) for score in (*one, *other)):
        raise ValueError(f"expected scores from {lowest} to {highest}")
    if not one:
        return None
    size = highest - lowest + 1
    observed = np.zeros((size, size))
    for a, b in zip(one, other, strict=True):
        observed[a - lowest, b - lowest] += 1
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(one)
    grid = np.arange(size)
    weights = (grid[:, None] - grid[None, :]) ** 2
    by_chance = float((weights * expected).sum())
    return None if by_chance == 0 else float(1 - (weights * observed).sum() / by_chance)


def _ordinal_difference(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) of delta² from the (K,) numbers of scores in each category, lowest first."""
    cumulative = np.cumsum(totals)
    upto = cumulative - totals / 2  # half of a category lies below its own middle
    return np.asarray((upto[:, None] - upto[None, :]) ** 2, dtype=np.float64)
