"""The terms in which the gate judges: what a site wants, why an object is not ours, and one rule's evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from pydicom.dataset import Dataset

from dicom_node.errors import PixelErrorCode


class ReasonCode(StrEnum):
    """Why an object is not processed, by its header; PixelErrorCode has the reasons of the pixel header."""

    HEADER_UNREADABLE = "HEADER_UNREADABLE"
    IDENTIFIER_MISSING = "IDENTIFIER_MISSING"
    SOP_CLASS_NOT_ACCEPTED = "SOP_CLASS_NOT_ACCEPTED"
    FOR_PROCESSING_NOT_ACCEPTED = "FOR_PROCESSING_NOT_ACCEPTED"
    MODALITY_NOT_ACCEPTED = "MODALITY_NOT_ACCEPTED"
    OWN_OUTPUT = "OWN_OUTPUT"
    SECONDARY_CAPTURE = "SECONDARY_CAPTURE"
    SECONDARY_IMAGE = "SECONDARY_IMAGE"
    DUAL_ENERGY = "DUAL_ENERGY"
    LOCALIZER_OR_STITCHED = "LOCALIZER_OR_STITCHED"
    QUALITY_CONTROL_IMAGE = "QUALITY_CONTROL_IMAGE"
    VETERINARY = "VETERINARY"
    MATRIX_TOO_SMALL = "MATRIX_TOO_SMALL"
    NOT_CHEST = "NOT_CHEST"
    BODY_PART_UNKNOWN = "BODY_PART_UNKNOWN"
    VIEW_NOT_FRONTAL = "VIEW_NOT_FRONTAL"
    VIEW_UNKNOWN = "VIEW_UNKNOWN"
    NOT_UPRIGHT = "NOT_UPRIGHT"
    BELOW_MINIMUM_AGE = "BELOW_MINIMUM_AGE"
    AGE_UNKNOWN = "AGE_UNKNOWN"


@dataclass(frozen=True)
class EligibilityPolicy:
    """What a site wants processed.

    `min_age_years` 0 accepts every age. `min_side` in px. An unknown age passes only when the field is that of an
    adult: the shorter side at least `adult_field_mm` by its pixel spacing, or `adult_field_px` when there is none.
    `own_device_uids`: Device UIDs of our models, for the loop guard. The words are matched whole, in lower case,
    against descriptions when the coded body part is silent.
    """

    min_age_years: int = 18
    accept_for_processing: bool = True
    min_side: int = 1000
    # A child's cassette is 240 mm wide; adult fields collimated to the lungs begin at about 280 mm.
    adult_field_mm: float = 250.0
    adult_field_px: int = 1500
    own_device_uids: frozenset[str] = frozenset()
    chest_words: frozenset[str] = frozenset(
        [
            "chest",
            "thorax",
            "thoracic",
            "lung",
            "lungs",
            "cxr",
            "pulmonary",
            "torax",
            "tórax",
            "torace",
            "poumon",
            "poumons",
            "lunge",
            "brust",
            "胸部",
        ]
    )
    other_part_words: frozenset[str] = frozenset(
        [
            "rib",
            "ribs",
            "hemithorax",
            "clavicle",
            "clavicula",
            "sternum",
            "spine",
            "tspine",
            "bws",
            "lws",
            "abdomen",
            "kub",
            "pelvis",
            "shoulder",
            "scapula",
            "neck",
            "skull",
            "hip",
            "knee",
            "babygram",
            "phantom",
            "rippen",
        ]
    )


class Answer(Enum):
    """What the evidence says to a rule's question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


AnyCode = ReasonCode | PixelErrorCode


@dataclass(frozen=True)
class Evidence:
    """One rule's answer; `code` and `detail` give the reason of anything but a YES, `notes` are for the log."""

    answer: Answer
    code: AnyCode | None = None
    detail: str = ""
    notes: tuple[str, ...] = ()


Rule = Callable[[Dataset, EligibilityPolicy], Evidence]


def yes(*notes: str) -> Evidence:
    """The question is answered as wanted."""
    return Evidence(Answer.YES, notes=notes)


def no(code: AnyCode, detail: str) -> Evidence:
    """The object is not ours, for this reason."""
    return Evidence(Answer.NO, code, detail)


def unknown(code: AnyCode, detail: str) -> Evidence:
    """The header does not tell, and the code says what it leaves open."""
    return Evidence(Answer.UNKNOWN, code, detail)
