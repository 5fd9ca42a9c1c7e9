"""Is it ours? The gate: an adult's frontal chest radiograph as a console sends it, judged from the header alone.

A table of rules, asked in order; the first that says no, or whose question must be answered and is not, decides, and
its code and detail are what the records show. Pure, and safe on any data set whatever.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicom_node.age_evidence import is_adult
from dicom_node.chest_evidence import is_chest
from dicom_node.eligibility_terms import Answer, AnyCode, EligibilityPolicy, ReasonCode, Rule
from dicom_node.object_evidence import (
    has_identifiers,
    has_usable_pixels,
    is_accepted_class,
    is_not_our_own,
    is_of_a_patient,
    is_primary,
    is_radiography,
    is_upright,
)
from dicom_node.view_evidence import is_frontal

__all__ = ["EligibilityPolicy", "Eligible", "Ineligible", "ReasonCode", "judge"]


@dataclass(frozen=True)
class Eligible:
    """The object is ours; `notes` are codes of what stood out, e.g. "VIEW_AP", "LOSSY_SOURCE"."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ineligible:
    """The object is kept and recorded, and not processed; `detail` says what was expected and what was found."""

    code: AnyCode
    detail: str


# (rule, whether an object passes whose header does not answer it)
RULES: tuple[tuple[Rule, bool], ...] = (
    (has_identifiers, False),
    (is_accepted_class, False),
    (is_not_our_own, False),
    (is_radiography, False),
    (is_primary, False),
    (is_of_a_patient, False),
    (has_usable_pixels, False),
    (is_chest, False),
    (is_frontal, False),
    (is_upright, True),
    (is_adult, False),
)


def judge(header: Dataset, policy: EligibilityPolicy) -> Eligible | Ineligible:
    """Whether the object is to be processed. Looks at no pixel, changes nothing, raises nothing."""
    notes: list[str] = []
    for rule, passes_unanswered in RULES:
        try:
            evidence = rule(header, policy)
        except Exception as error:  # a header can hold anything, nesting deep enough to end the stack included
            detail = f"expected a readable header, found {type(error).__name__} ({rule.__name__})"
            return Ineligible(ReasonCode.HEADER_UNREADABLE, detail)
        notes += evidence.notes
        if evidence.answer is Answer.YES or (evidence.answer is Answer.UNKNOWN and passes_unanswered):
            continue
        return Ineligible(evidence.code or ReasonCode.HEADER_UNREADABLE, evidence.detail)
    return Eligible(tuple(notes))
