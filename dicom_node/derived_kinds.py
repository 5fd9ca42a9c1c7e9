"""What tells our derived images of one source apart: their names, Image Type, series and derivation (CID 7203)."""

from __future__ import annotations

from dataclasses import dataclass

from dicom_node import codes
from dicom_node.codes import Code


@dataclass(frozen=True)
class DerivedKind:
    """One kind of derived image.

    `uid_word` goes into the UIDs, see `uids`. `image_type_value` is value 4 of Image Type, CS. `series_words` and
    `image_comments` are what a radiologist reads. `series_number_step` comes on top of the site's offset.
    `contribution` is what our equipment did, `derivation` the codes of it, in order.
    """

    uid_word: str
    image_type_value: str
    series_words: str
    series_number_step: int
    image_comments: str
    contribution: str
    derivation: tuple[Code, ...]

    @property
    def image_type(self) -> list[str]:
        """Image Type; value 3 is specific to the IOD and empty in DX (PS3.3 C.8.11.3.1.1)."""
        return ["DERIVED", "SECONDARY", "", self.image_type_value, "AI"]


SOFT_TISSUE = DerivedKind(
    "",
    "BONE_SUPPRESSED",
    "bone suppressed (AI)",
    0,
    "AI bone-suppressed companion image. Read with the original.",
    "Bone suppression",
    (codes.ARTIFICIAL_INTELLIGENCE, codes.BONE_SUPPRESSION, codes.SUBTRACTION),
)
BONE = DerivedKind(
    "bone",
    "BONE",
    "bone residual (AI)",
    1000,
    "AI bone residual: what was taken away from the original. Read with the original.",
    "Bone residual",
    (codes.ARTIFICIAL_INTELLIGENCE, codes.BONE_RESIDUAL, codes.SUBTRACTION),
)
SPREAD = DerivedKind(
    "spread",
    "UNCERTAINTY",
    "uncertainty of bone suppression (AI)",
    2000,
    "AI uncertainty map, not a radiograph: where repeated runs of the bone suppression differ.",
    "Uncertainty of bone suppression",
    (codes.ARTIFICIAL_INTELLIGENCE, codes.SPREAD_OF_SAMPLES),
)
