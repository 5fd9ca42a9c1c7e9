"""Who is trained on, who steers the training, and who judges it: a split by patient, a function of names and a seed.

Patients are put in the order of a keyed digest, and the ratios cut that order. A patient who is added moves at most
one patient over each of the two cuts; everyone else stays where they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum

from models.pairs.errors import PairDataError, PairFault

Ratios = tuple[float, float, float]
"""Train, validation, test; any scale."""


class Split(StrEnum):
    """What a pair is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def draw_split(patients: Iterable[str], *, seed: int, ratios: Ratios) -> dict[str, Split]:
    """Each patient's split.

    Training is never empty. From two patients on one is kept for the test, from three on one for validation, unless
    that ratio is 0. Raises PairDataError (OPTION_INVALID) for ratios that cannot be.
    """
    _, validation, test = check_ratios(ratios)
    ordered = sorted(set(patients), key=lambda patient: (_digest(seed, patient), patient))
    total = len(ordered)
    testing = min(max(_rounded(total * test), int(test > 0 and total >= 2)), max(total - 1, 0))
    # Rounding the sum, not its parts, moves either cut by one rank at most when a patient is added.
    least = testing + int(validation > 0 and total >= (3 if test else 2))
    held = min(max(_rounded(total * (test + validation)), least), max(total - 1, 0)) if validation else testing
    cuts = {Split.TEST: ordered[:testing], Split.VALIDATION: ordered[testing:held]}
    held_out = {patient: split for split, members in cuts.items() for patient in members}
    return {patient: held_out.get(patient, Split.TRAIN) for patient in ordered}


def check_ratios(ratios: Ratios) -> Ratios:
    """The ratios scaled to a sum of 1. Raises PairDataError (OPTION_INVALID)."""
    if len(ratios) != 3 or not all(0 <= ratio < float("inf") for ratio in ratios) or not ratios[0] > 0:
        found = ":".join(f"{ratio:g}" for ratio in ratios)
        raise PairDataError(
            PairFault.OPTION_INVALID,
            f"expected a split train:validation:test such as 8:1:1, none negative and train above 0, found {found}",
        )
    total = sum(ratios)
    return ratios[0] / total, ratios[1] / total, ratios[2] / total


def _rounded(count: float) -> int:
    return int(count + 0.5)


def _digest(seed: int, patient: str) -> bytes:
    return hashlib.sha256(f"softray split {seed} {patient}".encode()).digest()
