"""Is it a frontal view? View Code, then View Position, then Patient Orientation, then words of the series.

The first that speaks decides (PS3.16 CID 4010, PS3.3 C.8.11.5, C.8.1.1.5.3); what the later ones say against it is
noted. A view that none of them tells is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset

from dicom_node.eligibility_terms import Answer, EligibilityPolicy, Evidence, ReasonCode, no, unknown, yes
from dicom_node.header_values import items, text, texts
from dicom_node.header_words import image_words, quoted

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
OTHER_WORDS = frozenset(
    [
        "lat",
        "lateral",
        "laterale",
        "ll",
        "rl",
        "profil",
        "seitlich",
        "oblique",
        "obl",
        "decubitus",
        "lordotic",
        "apical",
        "apicolordotic",
        "swimmer",
    ]
)


def is_frontal(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """YES for PA, AP or frontal, NO for any other view, UNKNOWN when nothing in the header tells."""
    for code in _positioning_codes(ds):
        if code == LORDOTIC or code in DECUBITUS:
            return no(ReasonCode.VIEW_NOT_FRONTAL, "expected an upright or supine frontal view, found another position")
    answers = [source(ds) for source in SOURCES]
    decided = next((one for one in answers if one.answer is not Answer.UNKNOWN), None)
    if decided is None:
        return unknown(ReasonCode.VIEW_UNKNOWN, "expected a frontal view, found no view in codes or descriptions")
    if decided.answer is Answer.NO:
        return decided
    contradicted = any(one.answer is Answer.NO for one in answers)
    return yes(*decided.notes, "VIEW_CONTRADICTED") if contradicted else decided


def _by_view_code(ds: Dataset) -> Evidence:
    for item in items(ds, "ViewCodeSequence"):
        code = text(item, "CodeValue")
        if code in FRONTAL_CODES:
            return yes(f"VIEW_{FRONTAL_CODES[code]}")
        if code and not _is_private(text(item, "CodingSchemeDesignator")):
            return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected a frontal view, found view code {quoted(code)}")
    return _SILENT


def _is_private(scheme: str) -> bool:
    """A site's own codes say nothing to us (PS3.3 8.2); 99SDM is SNOMED under an early name."""
    return scheme == "L" or (scheme.startswith("99") and scheme != "99SDM")


def _by_view_position(ds: Dataset) -> Evidence:
    position = text(ds, "ViewPosition").upper()
    if position in ("PA", "AP"):
        return yes(f"VIEW_{position}")
    if position in ("", "UNKNOWN", "NONE"):
        return _SILENT
    return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected View Position PA or AP, found {quoted(position)}")


def _by_patient_orientation(ds: Dataset) -> Evidence:
    rows = text(ds, "PatientOrientation").upper() if len(texts(ds, "PatientOrientation")) == 2 else ""
    if rows in ("L", "R"):
        return yes("VIEW_BY_ORIENTATION")
    if rows[:1] in ("A", "P") or rows[1:2] in ("A", "P"):
        return no(ReasonCode.VIEW_NOT_FRONTAL, f"expected rows across the patient, found {quoted(rows)}")
    return _SILENT


def _by_words(ds: Dataset) -> Evidence:
    words = image_words(ds)
    frontal, other = bool(words & FRONTAL_WORDS), bool(words & OTHER_WORDS)
    if frontal and not other:
        return yes("VIEW_BY_DESCRIPTION")
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
