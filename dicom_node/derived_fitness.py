"""What a derived image does not take over from its source although it could: values that the Standard does not allow.

Patient and Study are left as they are, since they must be the same in every object of a study, and so is free text,
byte for byte. Everything else that breaks its VR, its enumeration or the company it has to keep is left behind, so that
a source's faults do not become ours.
"""

from __future__ import annotations

import re

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicom_node.derived_attributes import PATIENT, SHUTTER, STUDY
from dicom_node.element_copy import FREE_TEXT_VRS
from dicom_node.header_values import integer, items, number, numbers, text, texts
from dicom_node.value_grammar import CHECKED, obeys_its_vr

_KEPT_AS_IT_IS = frozenset((PATIENT + STUDY).split()) | {"SpecificCharacterSet"}
_YES_NO = ("YES", "NO")
_SHAPES = ("RECTANGULAR", "CIRCULAR", "POLYGONAL")
_FIELDS = ("RECTANGLE", "ROUND", "HEXAGONAL")
_ENUMERATED: dict[str, tuple[str, ...]] = {
    "AnatomicalOrientationType": ("BIPED", "QUADRUPED"),
    "BurnedInAnnotation": _YES_NO,
    "CalibrationImage": _YES_NO,
    "CassetteOrientation": ("LANDSCAPE", "PORTRAIT"),
    "CollimatorShape": _SHAPES,
    "DetectorActiveShape": _FIELDS,
    "DetectorConditionsNominalFlag": _YES_NO,
    "FieldOfViewHorizontalFlip": _YES_NO,
    "FieldOfViewShape": _FIELDS,
    "LossyImageCompression": ("00", "01"),
    "PixelSpacingCalibrationType": ("GEOMETRY", "FIDUCIAL"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE"),
    "RecognizableVisualFeatures": _YES_NO,
    "ShutterShape": _SHAPES,
}
# Each shape of a shutter or collimator comes with these (C.7.6.11, C.8.7.3).
_CODES = ("AnatomicRegionSequence", "ContrastBolusAgentSequence", "PrimaryAnatomicStructureSequence")
_EDGES = {
    "RECTANGULAR": ("LeftVerticalEdge", "RightVerticalEdge", "UpperHorizontalEdge", "LowerHorizontalEdge"),
    "CIRCULAR": ("CenterOfCircular", "RadiusOfCircular"),
    "POLYGONAL": ("VerticesOfThePolygonal",),
}
_FIELD_OF_VIEW = ("FieldOfViewOrigin", "FieldOfViewRotation", "FieldOfViewHorizontalFlip")
_CALIBRATION = ("PixelSpacing", "PixelSpacingCalibrationType", "PixelSpacingCalibrationDescription")
_CLINICAL_SERIES = ("ClinicalTrialSeriesID", "ClinicalTrialSeriesDescription")


def drop_what_is_unfit(derived: Dataset) -> None:
    """Remove what the copied elements of `derived` should not pass on."""
    drop_unfit_values(derived)
    _drop_broken_groups(derived)


def drop_unfit_values(derived: Dataset) -> None:
    """Remove the elements whose own value the Standard does not allow, and the empty ones."""
    for tag in list(derived.keys()):
        keyword = keyword_for_tag(tag)
        if keyword not in _KEPT_AS_IT_IS and not _is_fit(derived, keyword):
            del derived[tag]


def _is_fit(derived: Dataset, keyword: str) -> bool:
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        return _keep_fit_items(derived, keyword)
    if vr in FREE_TEXT_VRS:  # not looked at, which would decode it: its bytes stay
        return bool(derived.get_item(keyword).value)
    values = texts(derived, keyword)
    if not values:
        return False
    if keyword == "PatientOrientation":
        return all(re.fullmatch("(?!.*(.).*\\1)[ALPRFH]{1,3}", one) for one in values) and obeys_its_vr(keyword, values)
    if keyword in _ENUMERATED and not set(values) <= set(_ENUMERATED[keyword]):
        return False
    return vr not in CHECKED or obeys_its_vr(keyword, values)


def _keep_fit_items(derived: Dataset, keyword: str) -> bool:
    """Leave out the codes that are none (PS3.3 8.8); whether any item is left."""
    found = items(derived, keyword)
    is_code = keyword.endswith("CodeSequence") or keyword in _CODES
    fit = [item for item in found if not is_code or _is_code(item)]
    if keyword == "AcquisitionContextSequence":
        fit = [item for item in found if text(item, "ValueType") and _has_concept(item)]
    if len(fit) < len(found):
        derived[keyword].value = Sequence(fit)
    return bool(fit)


def _has_concept(item: Dataset) -> bool:
    return any(_is_code(one) for one in items(item, "ConceptNameCodeSequence"))


def _is_code(item: Dataset) -> bool:
    value = next((one for one in ("CodeValue", "LongCodeValue", "URNCodeValue") if text(item, one)), "")
    scheme = value == "URNCodeValue" or bool(text(item, "CodingSchemeDesignator"))
    return bool(value) and scheme and bool(text(item, "CodeMeaning"))


def _drop_broken_groups(derived: Dataset) -> None:
    for name in ("Shutter", "Collimator"):
        if not _is_whole(derived, name):
            _drop(derived, *(SHUTTER.split() if name == "Shutter" else _collimator()))
    positive = [one for one in ("ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelSpacing") if one in derived]
    _drop(derived, *(one for one in positive if min(numbers(derived, one), default=0.0) <= 0.0))
    if "PixelSpacing" not in derived:
        _drop(derived, *_CALIBRATION)
    elif ("PixelSpacingCalibrationType" in derived) != ("PixelSpacingCalibrationDescription" in derived):
        _drop(derived, *_CALIBRATION[1:])
    if "ImagerPixelSpacing" in derived or "PixelSpacing" in derived or "NominalScannedPixelSpacing" in derived:
        _drop(derived, "PixelAspectRatio")  # may only stand where no spacing does (C.7.6.3)
    if not all(one in derived for one in _FIELD_OF_VIEW) or number(derived, "FieldOfViewRotation") not in (
        0,
        90,
        180,
        270,
    ):
        _drop(derived, *_FIELD_OF_VIEW)
    if min(numbers(derived, "FieldOfViewDimensions"), default=0.0) <= 0.0:
        _drop(derived, "FieldOfViewDimensions")
    if min(numbers(derived, "LossyImageCompressionRatio"), default=0.0) <= 0.0:
        _drop(derived, "LossyImageCompressionRatio")
    if integer(derived, "PixelPaddingValue") is None:
        _drop(derived, "PixelPaddingRangeLimit")
    if "ClinicalTrialCoordinatingCenterName" not in derived:
        _drop(derived, *_CLINICAL_SERIES)


def _is_whole(derived: Dataset, name: str) -> bool:
    shapes = texts(derived, f"{name}Shape")
    needed = [
        f"{name}{edge}" if edge.endswith("Edge") else f"{edge}{name}" for shape in shapes for edge in _EDGES[shape]
    ]
    return bool(shapes) and all(one in derived for one in needed)


def _collimator() -> tuple[str, ...]:
    edges = [one for shape in _EDGES.values() for one in shape]
    return ("CollimatorShape", *(f"Collimator{one}" if one.endswith("Edge") else f"{one}Collimator" for one in edges))


def _drop(derived: Dataset, *keywords: str) -> None:
    for keyword in keywords:
        derived._dict.pop(Tag(keyword), None)
