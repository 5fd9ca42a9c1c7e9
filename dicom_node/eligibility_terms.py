"""The terms in which the gate judges: what a site wants, why an object is not ours, and one rule's evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from pydicom.dataset import Dataset

from dicom_node.body_part_words import CHEST_WORDS, OTHER_PART_WORDS
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
    ALREADY_PROCESSED = "ALREADY_PROCESSED"
    SECONDARY_IMAGE = "SECONDARY_IMAGE"
    DUAL_ENERGY = "DUAL_ENERGY"
    LOCALIZER_OR_STITCHED = "LOCALIZER_OR_STITCHED"
    QUALITY_CONTROL_IMAGE = "QUALITY_CONTROL_IMAGE"
    VETERINARY = "VETERINARY"
    MATRIX_TOO_SMALL = "MATRIX_TOO_SMALL"
    NOT_CHEST = "NOT_CHEST"
    BODY_PART_UNKNOWN = "BODY_PART_UNKNOWN"
    VIEW_NOT_FRONTAL = "VIEW_NOT_FRONTAL"
    VIEW_NOT_ACCEPTED = "VIEW_NOT_ACCEPTED"
    VIEW_UNKNOWN = "VIEW_UNKNOWN"
    VIEW_CONTRADICTED = "VIEW_CONTRADICTED"
    NOT_UPRIGHT = "NOT_UPRIGHT"
    BELOW_MINIMUM_AGE = "BELOW_MINIMUM_AGE"
    ABOVE_MAXIMUM_AGE = "ABOVE_MAXIMUM_AGE"
    AGE_UNKNOWN = "AGE_UNKNOWN"


class Unknown(StrEnum):
    """What becomes of an image whose header does not tell the body part or the view."""

    IMAGE = "image"  # the image check decides
    REFUSE = "refuse"


class FrontalView(StrEnum):
    """Frontal views that a site may take or not."""

    PA = "PA"
    AP = "AP"
    PORTABLE = "PORTABLE"  # an AP or PA at the bedside, as far as the descriptions say so


@dataclass(frozen=True)
class EligibilityPolicy:
    """What a site wants processed.

    `refuse_by_image`: whether a picture that plainly is no frontal chest is refused although the header vouches for it;
    what the header leaves open the image decides either way. `min_age_years` 0 accepts every age, `max_age_years` 0 has
    no upper limit. `min_side` in px. An unknown age passes only when the field is that of an adult: the shorter side at
    least `adult_field_mm` by its pixel spacing, or `adult_field_px` when there is none. `own_device_uids`: Device UIDs
    of our models, for the loop guard. The words are matched whole, in lower case, against descriptions when the coded
    body part is silent.
    """

    sop_classes: frozenset[str] = frozenset({"CR", "DX"})
    accept_for_processing: bool = True
    modalities: frozenset[str] = frozenset({"CR", "DX"})
    views: frozenset[FrontalView] = frozenset(FrontalView)
    unknown: Unknown = Unknown.IMAGE
    refuse_by_image: bool = True
    min_age_years: int = 18
    max_age_years: int = 0
    min_side: int = 1000
    # A child's cassette is 240 mm wide; adult fields collimated to the lungs begin at about 280 mm.
    adult_field_mm: float = 250.0
    adult_field_px: int = 1500
    own_device_uids: frozenset[str] = frozenset()
    chest_words: frozenset[str] = CHEST_WORDS
    other_part_words: frozenset[str] = OTHER_PART_WORDS


class Answer(Enum):
    """What the evidence says to a rule's question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


AnyCode = ReasonCode | PixelErrorCode


@dataclass(frozen=True)
class Evidence:
    """One rule's answer, `detail` says by what. `code` gives the reason of anything but a YES.

    `notes` are for the log; `open_questions` are what a YES leaves to the image check.
    """

    answer: Answer
    code: AnyCode | None = None
    detail: str = ""
    notes: tuple[str, ...] = ()
    open_questions: frozenset[ReasonCode] = frozenset()


Rule = Callable[[Dataset, EligibilityPolicy], Evidence]


def yes(detail: str, *notes: str) -> Evidence:
    """The question is answered as wanted; `detail` says by what in the header."""
    return Evidence(Answer.YES, detail=detail, notes=notes)


def no(code: AnyCode, detail: str) -> Evidence:
    """The object is not ours, for this reason."""
    return Evidence(Answer.NO, code, detail)


def unknown(code: AnyCode, detail: str) -> Evidence:
    """The header does not tell, and the code says what it leaves open."""
    return Evidence(Answer.UNKNOWN, code, detail)
