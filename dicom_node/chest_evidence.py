"""Is it a chest? Body Part Examined, Anatomic Region, then words of the descriptions (PS3.16 CID 4009, Annex L)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from dicom_node.eligibility_terms import EligibilityPolicy, Evidence, ReasonCode, no, unknown, yes
from dicom_node.header_values import items, text
from dicom_node.header_words import image_words, quoted, series_words, study_words

CHEST_PARTS = frozenset({"CHEST", "THORAX", "LUNG"})
ADJECTIVES = frozenset({"thoracic", "pulmonary"})  # of the chest, but also of its spine and its vessels
SILENT_PARTS = frozenset({"", "UNKNOWN", "OTHER", "BODY", "TRUNK", "DEFAULT"})
# Current and retired codes of chest, thorax and lung.
CHEST_CODES = frozenset({"816094009", "51185008", "T-D3000", "39607008", "T-28000", "302551006", "43799004"})
HARD_NEGATIVES = {
    "113197003": "ribs",
    "T-11300": "ribs",
    "51299004": "clavicle",
    "T-12310": "clavicle",
    "56873002": "sternum",
    "T-11210": "sternum",
    "416775004": "chest with abdomen",
    "706342009": "phantom",
}


def is_chest(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """YES for a chest, NO for any other part that is named, UNKNOWN when the header is silent or says both."""
    regions = [text(item, "CodeValue") for item in items(ds, "AnatomicRegionSequence")]
    for code in regions:
        if code in HARD_NEGATIVES:
            return no(ReasonCode.NOT_CHEST, f"expected the chest, found {HARD_NEGATIVES[code]}")
    part = text(ds, "BodyPartExamined").upper()
    if part in CHEST_PARTS or _names_the_chest(part, policy):
        return _unless_the_series_says_otherwise(ds, policy, f"body part {quoted(part)}")
    if part not in SILENT_PARTS:
        return no(ReasonCode.NOT_CHEST, f"expected the chest, found body part {quoted(part)}")
    if regions and regions[0]:
        if regions[0] in CHEST_CODES:
            return _unless_the_series_says_otherwise(ds, policy, f"anatomic region {regions[0]}")
        return no(ReasonCode.NOT_CHEST, "expected the chest, found another anatomic region")
    return _by_words(ds, policy)


def _names_the_chest(part: str, policy: EligibilityPolicy) -> bool:
    """Consoles write more into Body Part Examined than its defined terms: CHEST_PA, LUNGS, CXR, TORAX."""
    words = frozenset(part.lower().replace("_", " ").split())
    return bool(words & policy.chest_words - ADJECTIVES) and not words & (policy.other_part_words | {"abd"})


def _unless_the_series_says_otherwise(ds: Dataset, policy: EligibilityPolicy, found: str) -> Evidence:
    """Rib and spine examinations are often coded CHEST; their series is not."""
    words = series_words(ds)
    if words & policy.other_part_words and not words & policy.chest_words:
        return no(ReasonCode.NOT_CHEST, "expected the chest, found another part in the series' description")
    return yes(found)


def _by_words(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    for words in (image_words(ds), study_words(ds)):
        chest, other = bool(words & policy.chest_words), bool(words & policy.other_part_words)
        if chest and not other:
            return yes("the chest by the words of a description", "CHEST_BY_DESCRIPTION")
        if other and not chest:
            return no(ReasonCode.NOT_CHEST, "expected the chest, found another part in the descriptions")
    return unknown(ReasonCode.BODY_PART_UNKNOWN, "expected a body part, found none in codes or descriptions")
