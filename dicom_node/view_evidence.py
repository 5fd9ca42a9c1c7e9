"""Is it a frontal view? View Code, then View Position, then Patient Orientation, then words of the series.

The first that speaks decides (PS3.16 CID 4010, PS3.3 C.8.11.5, C.8.1.1.5.3). Where a later one says another view, the
image check is asked as well. A view that none of them tells is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset

from dicom_node.eligibility_terms import (
    Answer,
    EligibilityPolicy,
    Evidence,
    FrontalView,
    ReasonCode,
    no,
    unknown,
    yes,
)
from dicom_node.header_values import items, text, texts
from dicom_node.header_words import image_words, quoted, study_words

FRONTAL_CODES = {
    "272479007": "PA",
    "R-10214": "PA",
    "R-40888": "PA",
    "399348003": "AP",
    "R-10206": "AP",
    "399033003": "FRONTAL",
    "R-10202": "FRONTAL",
}
LORDOTIC = "260450008"
DECUBITUS = frozenset({"102536004", "102535000"})
FRONTAL_WORDS = frozenset({"pa", "ap", "frontal", "posteroanterior", "anteroposterior"})
PORTABLE_WORDS = frozenset({"portable", "mobile", "bedside", "bettlunge", "bettaufnahme"})
OTHER_WORDS = frozenset([
    "lat", "lateral", "laterale", "ll", "rl", "profil", "seitlich", "oblique", "obl", "decubitus", "lordotic",
    "apical", "apicolordotic", "swimmer",
])  # fmt: skip


def is_frontal(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """YES for a frontal view that the site takes, NO for any other view, UNKNOWN when nothing in the header tells."""
    for code in _positioning_codes(ds):
        if code == LORDOTIC or code in DECUBITUS:
            return no(ReasonCode.VIEW_NOT_FRONTAL, "expected an upright or supine frontal view, found another position")
    answers = [source(ds) for source in SOURCES]
    decided = next((one for one in answers if one.answer is not Answer.UNKNOWN), None)
    if decided is None:
        return unknown(ReasonCode.VIEW_UNKNOWN, "expected a frontal view, found no view in codes or descriptions")
    if decided.answer is Answer.NO:
        return decided
    portable = bool(PORTABLE_WORDS & (image_words(ds) | study_words(ds)))
    notes = (*decided.notes, "PORTABLE") if portable else decided.notes
    if not_taken := _not_taken(decided.notes, portable, policy):
        return no(ReasonCode.VIEW_NOT_ACCEPTED, f"expected a view that this site takes, found {not_taken}")
    if any(one.answer is Answer.NO for one in answers):
        open_questions = frozenset({ReasonCode.VIEW_CONTRADICTED})
        detail = f"{decided.detail}, contradicted by another attribute"
        return Evidence(Answer.YES, None, detail, (*notes, "VIEW_CONTRADICTED"), open_questions)
    return yes(decided.detail, *notes)


def _not_taken(notes: tuple[str, ...], portable: bool, policy: EligibilityPolicy) -> str | None:
    """The frontal view that the header names and the site does not take; one that is only called frontal passes."""
    for view in (FrontalView.PA, FrontalView.AP):
        if f"VIEW_{view}" in notes and view not in policy.views:
            return str(view)
    return "a portable" if portable and FrontalView.PORTABLE not in policy.views else None


def _by_view_code(ds: Dataset) -> Evidence:
    for item in items(ds, "ViewCodeSequence"):
        code = text(item, "CodeValue")
        if code in FRONTAL_CODES:
            return yes(f"View Code {code}", f"VIEW_{FRONTAL_CODES[code]}")
        if code and not _is_private(text(item, "CodingSchemeDesignator")):
            return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected a frontal view, found view code {quoted(code)}")
    return _SILENT


def _is_private(scheme: str) -> bool:
    """A site's own codes say nothing to us (PS3.3 8.2); 99SDM is SNOMED under an early name."""
    return scheme == "L" or (scheme.startswith("99") and scheme != "99SDM")


def _by_view_position(ds: Dataset) -> Evidence:
    position = text(ds, "ViewPosition").upper()
    if position in ("PA", "AP"):
        return yes(f"View Position {position}", f"VIEW_{position}")
    if position in ("", "UNKNOWN", "NONE"):
        return _SILENT
    return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected View Position PA or AP, found {quoted(position)}")


def _by_patient_orientation(ds: Dataset) -> Evidence:
    rows = text(ds, "PatientOrientation").upper() if len(texts(ds, "PatientOrientation")) == 2 else ""
    if rows in ("L", "R"):
        return yes(f"Patient Orientation with rows towards {rows}", "VIEW_BY_ORIENTATION")
    if rows[:1] in ("A", "P") or rows[1:2] in ("A", "P"):
        return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected rows across the patient, found {quoted(rows)}")
    return _SILENT


def _by_words(ds: Dataset) -> Evidence:
    words = image_words(ds)
    frontal, other = bool(words & FRONTAL_WORDS), bool(words & OTHER_WORDS)
    if frontal and not other:
        return yes("the view by the words of a description", "VIEW_BY_DESCRIPTION")
    if other and not frontal:
        return no(ReasonCode.VIEW_NOT_FRONTAL, "expected a frontal view, found another in the series' description")
    return _SILENT


def _positioning_codes(ds: Dataset) -> list[str]:
    found = []
    for keyword in ("PatientOrientationCodeSequence", "PatientOrientationModifierCodeSequence", "ViewCodeSequence"):
        for item in items(ds, keyword):
            found.append(text(item, "CodeValue"))
            for modifier in ("PatientOrientationModifierCodeSequence", "ViewModifierCodeSequence"):
                found += [text(one, "CodeValue") for one in items(item, modifier)]
    return found


_SILENT = unknown(ReasonCode.VIEW_UNKNOWN, "silent")
SOURCES: tuple[Callable[[Dataset], Evidence], ...] = (
    _by_view_code,
    _by_view_position,
    _by_patient_orientation,
    _by_words,
)
