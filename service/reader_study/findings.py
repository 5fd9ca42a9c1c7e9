"""Marks and true findings on one radiograph, and which mark found which.

Positions are in pixels of the original, columns to the right and rows down, 0\\0 being the upper left corner of the
upper left pixel (PS3.3 C.18.6); distances are in mm of the detector's plane, from the image's own pixel spacing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_SURE, SUREST = 1, 5


@dataclass(frozen=True)
class Region:
    """A point (`width` and `height` 0), or a box whose upper left corner is at `column`, `row`; pixels."""

    column: float
    row: float
    width: float = 0.0
    height: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        """Column and row of the middle."""
        return self.column + self.width / 2, self.row + self.height / 2


@dataclass(frozen=True)
class Mark:
    """What a reader marked; `confidence` from 1 (barely suspicious) to 5 (certain)."""

    region: Region
    kind: str
    confidence: int


@dataclass(frozen=True)
class TrueFinding:
    """What is there, according to the truth list."""

    region: Region
    kind: str


@dataclass(frozen=True)
class Spacing:
    """Distance between the middles of neighbouring pixels, mm."""

    row_mm: float
    column_mm: float


@dataclass(frozen=True)
class Counts:
    """Marks that found something, marks that found nothing, and findings without a mark."""

    true_positives: int
    false_positives: int
    false_negatives: int


def count(
    marks: Sequence[Mark],
    truth: Sequence[TrueFinding],
    *,
    spacing: Spacing,
    tolerance_mm: float,
    least_confidence: int = LEAST_SURE,
) -> Counts:
    """Compare the marks of at least `least_confidence` with the truth.

    A mark can find a finding of its own type of which its middle is at most `tolerance_mm` away (0 inside of the
    finding's box). Each mark finds at most one and each finding is found once, so that as many as possible are found: a
    second mark on the same finding is a false positive.
    """
    counted = [mark for mark in marks if mark.confidence >= least_confidence]
    reachable = [
        [
            index
            for index, finding in enumerate(truth)
            if finding.kind == mark.kind and distance_mm(mark.region, finding.region, spacing) <= tolerance_mm
        ]
        for mark in counted
    ]
    found = _largest_matching(reachable)
    return Counts(found, len(counted) - found, len(truth) - found)


def distance_mm(mark: Region, finding: Region, spacing: Spacing) -> float:
    """From the middle of the mark to the nearest point of the finding, mm."""
    column, row = mark.centre
    across = max(finding.column - column, 0.0, column - (finding.column + finding.width))
    down = max(finding.row - row, 0.0, row - (finding.row + finding.height))
    return math.hypot(across * spacing.column_mm, down * spacing.row_mm)


def _largest_matching(reachable: Sequence[Sequence[int]]) -> int:
    """How many marks can each have a finding of their own (augmenting paths; H. W. Kuhn 1955)."""
    taken_by: dict[int, int] = {}

    def give(mark: int, tried: set[int]) -> bool:
        for finding in reachable[mark]:
            if finding in tried:
                continue
            tried.add(finding)
            if finding not in taken_by or give(taken_by[finding], tried):
                taken_by[finding] = mark
                return True
        return False

    return sum(give(mark, set()) for mark in range(len(reachable)))
