"""Is it ours? The gate: an adult's frontal chest radiograph as a console sends it, judged from the header alone.

A table of rules, asked in order; the first that says no, or whose question must be answered and is not, decides, and
its code and detail are what the records show. Body part and view that the header does not tell are left to the image
check (dicom_node.image_gate), unless the site wants them refused. Pure, and safe on any data set whatever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pydicom.dataset import Dataset

from dicom_node.age_evidence import is_adult
from dicom_node.chest_evidence import is_chest
from dicom_node.eligibility_terms import (
    Answer,
    AnyCode,
    EligibilityPolicy,
    Evidence,
    FrontalView,
    ReasonCode,
    Rule,
    Unknown,
    no,
)
from dicom_node.object_evidence import (
    has_identifiers,
    has_usable_pixels,
    is_accepted_class,
    is_of_a_patient,
    is_radiography,
    is_upright,
)
from dicom_node.processing_evidence import is_not_our_own, is_primary, is_unprocessed
from dicom_node.view_evidence import is_frontal

__all__ = [
    "Asked",
    "EligibilityPolicy",
    "Eligible",
    "FrontalView",
    "Ineligible",
    "ReasonCode",
    "Unknown",
    "ask_every_rule",
    "judge",
]


@dataclass(frozen=True)
class Eligible:
    """The object is ours, as far as its header says; `notes` are codes of what stood out, e.g. "LOSSY_SOURCE".

    `open_questions`: what the header does not tell, or contradicts itself on, so that the image must.
    """

    notes: tuple[str, ...] = ()
    open_questions: frozenset[ReasonCode] = frozenset()


@dataclass(frozen=True)
class Ineligible:
    """The object is kept and recorded, and not processed; `detail` says what was expected and what was found."""

    code: AnyCode
    detail: str


@dataclass(frozen=True)
class Asked:
    """One rule of the table, its answer, and what that means: passed, refused, or left to the image."""

    question: str
    evidence: Evidence
    refuses: bool
    open_questions: frozenset[ReasonCode]


class _Unanswered(Enum):
    """What becomes of an object whose header does not answer a rule."""

    REFUSED = "refused"
    PASSES = "passes"
    IMAGE = "the image is asked, where the site has it so"


RULES: tuple[tuple[str, Rule, _Unanswered], ...] = (
    ("identifiers", has_identifiers, _Unanswered.REFUSED),
    ("SOP class", is_accepted_class, _Unanswered.REFUSED),
    ("not our own", is_not_our_own, _Unanswered.REFUSED),
    ("modality", is_radiography, _Unanswered.REFUSED),
    ("not processed already", is_unprocessed, _Unanswered.REFUSED),
    ("single exposure", is_primary, _Unanswered.REFUSED),
    ("patient", is_of_a_patient, _Unanswered.REFUSED),
    ("pixels", has_usable_pixels, _Unanswered.REFUSED),
    ("body part", is_chest, _Unanswered.IMAGE),
    ("view", is_frontal, _Unanswered.IMAGE),
    ("upright", is_upright, _Unanswered.PASSES),
    ("age", is_adult, _Unanswered.REFUSED),
)


def judge(header: Dataset, policy: EligibilityPolicy) -> Eligible | Ineligible:
    """Whether the object is to be processed. Looks at no pixel, changes nothing, raises nothing."""
    notes: list[str] = []
    open_questions: frozenset[ReasonCode] = frozenset()
    for asked in _ask(header, policy):
        if asked.refuses:
            return Ineligible(asked.evidence.code or ReasonCode.HEADER_UNREADABLE, asked.evidence.detail)
        notes += asked.evidence.notes
        open_questions |= asked.open_questions
    return Eligible(tuple(notes), open_questions)


def ask_every_rule(header: Dataset, policy: EligibilityPolicy) -> tuple[Asked, ...]:
    """Every rule's answer, also after one that refuses, to explain a verdict. Raises nothing."""
    return tuple(_ask(header, policy))


def _ask(header: Dataset, policy: EligibilityPolicy) -> Iterator[Asked]:
    # A copy of the raw elements: reading a text decodes it in its data set for good, and other bytes might be written
    # than were read.
    raw = header[:]
    for question, rule, unanswered in RULES:
        try:
            evidence = rule(raw, policy)
        except Exception as error:  # a header can hold anything, nesting deep enough to end the stack included
            detail = f"expected a readable header, found {type(error).__name__} ({rule.__name__})"
            evidence = no(ReasonCode.HEADER_UNREADABLE, detail)
        yield _weighed(question, evidence, unanswered, policy)


def _weighed(question: str, evidence: Evidence, unanswered: _Unanswered, policy: EligibilityPolicy) -> Asked:
    to_the_image = policy.unknown is Unknown.IMAGE
    if evidence.answer is not Answer.UNKNOWN:
        left = evidence.open_questions if to_the_image else frozenset()
        return Asked(question, evidence, evidence.answer is Answer.NO, left)
    if unanswered is _Unanswered.IMAGE and to_the_image and isinstance(evidence.code, ReasonCode):
        return Asked(question, evidence, False, frozenset({evidence.code}))
    return Asked(question, evidence, unanswered is not _Unanswered.PASSES, frozenset())
