"""The three criteria by which a radiologist scores a soft-tissue image, each 1 to 3, 3 being best.

They are those of the clinical evaluations published with BS-Diff (ISBI 2024, arXiv 2311.15328) and BS-LDM (IEEE JBHI
2025, arXiv 2412.15670), in softray's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOWEST, HIGHEST = 1, 3


class Criterion(StrEnum):
    """What is scored."""

    LUNG_VESSELS = "lung_vessels"
    AIRWAYS = "airways"
    BONE_SUPPRESSION = "bone_suppression"


@dataclass(frozen=True)
class Scale:
    """A criterion as it is put to the reader; `grades`: what 1, 2 and 3 mean."""

    criterion: Criterion
    title: str
    grades: tuple[str, str, str]


SCALES: tuple[Scale, ...] = (
    Scale(
        Criterion.LUNG_VESSELS,
        "Lung-vessel visibility",
        ("vessels are not shown", "vessels are shown in part", "vessels are shown clearly"),
    ),
    Scale(
        Criterion.AIRWAYS,
        "Airway visibility",
        ("trachea only", "trachea and main bronchi", "down to lobar and intermediate bronchi"),
    ),
    Scale(
        Criterion.BONE_SUPPRESSION,
        "Degree of bone suppression",
        ("five or more bones remain", "fewer than five bones remain", "nearly all bone is gone"),
    ),
)


@dataclass(frozen=True)
class Scores:
    """One reader's judgement of one result; each 1 to 3. Raises ValueError for anything else."""

    lung_vessels: int
    airways: int
    bone_suppression: int

    def __post_init__(self) -> None:
        for criterion in Criterion:
            if (found := self.of(criterion)) not in range(LOWEST, HIGHEST + 1):
                raise ValueError(f"{criterion}: expected a score from {LOWEST} to {HIGHEST}, found {found}")

    def of(self, criterion: Criterion) -> int:
        """The score by one criterion."""
        by_criterion: dict[Criterion, int] = {
            Criterion.LUNG_VESSELS: self.lung_vessels,
            Criterion.AIRWAYS: self.airways,
            Criterion.BONE_SUPPRESSION: self.bone_suppression,
        }
        return by_criterion[criterion]
