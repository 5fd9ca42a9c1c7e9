"""Is this the exposure itself? Not our own output, nor another product's, nor an image made from several."""

from __future__ import annotations

from pydicom.dataset import Dataset

from dicom_node.codes import BONE_SUPPRESSION, SUBTRACTION
from dicom_node.eligibility_terms import EligibilityPolicy, Evidence, ReasonCode, no, yes
from dicom_node.header_values import items, text, texts
from dicom_node.header_words import derivation_words, quoted, series_words
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME

BONE_SUPPRESSED = "BONE_SUPPRESSED"
_DERIVATIONS = frozenset({SUBTRACTION.value, BONE_SUPPRESSION.value})
_PRODUCT_WORDS = frozenset({"suppressed", "xbone", "clearread"})
_BONE_WORDS = frozenset({"bone", "bones", "rib", "ribs"})
_ENERGY_TYPES = frozenset({"SOFT", "SOFT_TISSUE", "BONE", "DES", "DUAL_ENERGY", "SUBTRACTION"})
_ENERGY_WORDS = frozenset({"soft", "bone", "dualenergy", "subtraction"})
_PLACE_TYPES = frozenset({"LOCALIZER", "STITCHED", "SCOUT"})
_PLACE_WORDS = frozenset({"stitched", "stitching", "localizer", "localiser", "scout"})


def is_not_our_own(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """The loop guard: a PACS that routes our results back to us must not make us suppress them again."""
    if BONE_SUPPRESSED in {value.upper() for value in texts(ds, "ImageType")}:
        return no(ReasonCode.OWN_OUTPUT, f"expected a source, found {BONE_SUPPRESSED} in Image Type")
    if text(ds, "InstanceCreatorUID") == CREATOR_UID:
        return no(ReasonCode.OWN_OUTPUT, "expected a source, found our Instance Creator UID")
    equipment = (ds, *items(ds, "ContributingEquipmentSequence"))
    for item in equipment:
        if text(item, "ManufacturerModelName").lower() == SOFTWARE_NAME or (
            set(texts(item, "DeviceUID")) & policy.own_device_uids
        ):
            return no(ReasonCode.OWN_OUTPUT, "expected a source, found our equipment among its makers")
    return yes("nothing of ours among its makers")


def is_unprocessed(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """No other product has taken the bone away, or subtracted one image from another, before us."""
    typed = [value.upper() for value in texts(ds, "ImageType")[2:]]
    derived_by = {text(item, "CodeValue") for item in items(ds, "DerivationCodeSequence")}
    derived, series = derivation_words(ds), series_words(ds)
    by_words = any(_tell_of_suppression(words) for words in (derived, series)) or bool(series & _PRODUCT_WORDS)
    if by_words or derived_by & _DERIVATIONS or any("SUPPRESS" in value for value in typed):
        return no(ReasonCode.ALREADY_PROCESSED, "expected an image as acquired, found one with bone suppressed already")
    return yes("no suppression or subtraction in its derivation")


def _tell_of_suppression(words: frozenset[str]) -> bool:
    return bool(words & _BONE_WORDS) and any(word.startswith("suppress") for word in words)


def is_primary(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Not SECONDARY, dual-energy, stitched or a localizer; DERIVED\\PRIMARY is what many consoles call an original."""
    values = [value.upper() for value in texts(ds, "ImageType")]
    if "SECONDARY" in values[1:2]:
        return no(ReasonCode.SECONDARY_IMAGE, "expected a PRIMARY image, found SECONDARY")
    words = series_words(ds)
    if _ENERGY_TYPES & set(values[2:]) or _ENERGY_WORDS & words or {"dual", "energy"} <= words:
        return no(ReasonCode.DUAL_ENERGY, "expected a standard radiograph, found a soft-tissue or bone image")
    if _PLACE_TYPES & set(values[2:]) or _PLACE_WORDS & words:
        return no(ReasonCode.LOCALIZER_OR_STITCHED, "expected a single exposure, found a localizer or stitched image")
    if len(values) < 2:
        return yes("no Image Type", "IMAGE_TYPE_MISSING")
    return yes(f"Image Type {quoted(values[0])} {quoted(values[1])}")
