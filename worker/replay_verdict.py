"""Whether a result that was computed again is the same result; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from service.registry.receipt_facts import ReceiptFacts

_ENVIRONMENT = ("device", "precision", "service_version", "parameters")


class Verdict(StrEnum):
    """How a replay came out."""

    IDENTICAL = "IDENTICAL"
    """Every pixel is the same."""
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    """Not every pixel, in another environment or on a graphics card, and no further apart than is allowed there."""
    DIFFERENT = "DIFFERENT"
    """Another result."""


@dataclass(frozen=True)
class Comparison:
    """A verdict with its figures.

    `largest_difference`: in stored values. `deviation`: root mean square of the difference over that of what the
    former result took away; compared with `tolerance`. `bits_owed`: whether every pixel had to be the same.
    `environment`: what is not as it was, as "name: before, now".
    """

    verdict: Verdict
    pixels: int
    differing_pixels: int
    largest_difference: int
    deviation: float
    tolerance: float
    bits_owed: bool
    environment: tuple[str, ...]


def compare(
    source: NDArray[np.integer],
    before: NDArray[np.integer],
    now: NDArray[np.integer],
    environment: tuple[str, ...],
    *,
    on_cpu: bool,
    tolerance: float,
) -> Comparison:
    """Compare (H, W) stored values of the source, the stored result and the one computed again.

    The same bits are owed where nothing of the environment changed, on the CPU; a graphics card sums images that share
    a batch in another order.
    """
    if not source.shape == before.shape == now.shape:
        raise ValueError(f"expected three images of one size, found {source.shape}, {before.shape}, {now.shape}")
    difference = now.astype(np.int64) - before.astype(np.int64)
    taken = source.astype(np.int64) - before.astype(np.int64)
    differing = int(np.count_nonzero(difference))
    deviation = _relative(difference, taken)
    bits_owed = on_cpu and not environment
    if differing == 0:
        verdict = Verdict.IDENTICAL
    elif not bits_owed and deviation <= tolerance:
        verdict = Verdict.WITHIN_TOLERANCE
    else:
        verdict = Verdict.DIFFERENT
    largest = int(np.abs(difference).max(initial=0))
    return Comparison(verdict, difference.size, differing, largest, deviation, tolerance, bits_owed, environment)


def changed_environment(before: ReceiptFacts, now: ReceiptFacts) -> tuple[str, ...]:
    """What may move the last bits and is not as the receipt has it."""
    changed = [
        f"{name}: {getattr(before, name) or '-'}, now {getattr(now, name) or '-'}"
        for name in _ENVIRONMENT
        if getattr(before, name) != getattr(now, name)
    ]
    versions_before, versions_now = before.library_versions(), now.library_versions()
    for name in sorted(versions_before.keys() | versions_now.keys()):
        one, other = versions_before.get(name, "-"), versions_now.get(name, "-")
        if one != other:
            changed.append(f"{name}: {one}, now {other}")
    return tuple(changed)


def _relative(difference: NDArray[np.int64], taken: NDArray[np.int64]) -> float:
    moved = float(np.sqrt(np.mean(np.square(difference, dtype=np.float64)))) if difference.size else 0.0
    if moved == 0.0:
        return 0.0
    scale = float(np.sqrt(np.mean(np.square(taken, dtype=np.float64))))
    return moved / scale if scale > 0.0 else float("inf")
