"""Is this a radiograph as a console sends it, and not our own output? SOP class, Image Type, pixel header, species."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from dicom_node.eligibility_terms import EligibilityPolicy, Evidence, ReasonCode, no, unknown, yes
from dicom_node.errors import PixelError
from dicom_node.header_values import items, text, texts
from dicom_node.header_words import image_words, quoted, series_words
from dicom_node.image_pixel import read_image_pixel
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME

ACCEPTED_SOP_CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)
BONE_SUPPRESSED = "BONE_SUPPRESSED"
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_ENERGY_TYPES = frozenset({"SOFT", "SOFT_TISSUE", "BONE", "DES", "DUAL_ENERGY", "SUBTRACTION"})
_ENERGY_WORDS = frozenset({"soft", "bone", "dualenergy", "suppressed", "subtraction"})
_PLACE_TYPES = frozenset({"LOCALIZER", "STITCHED", "SCOUT"})
_ANIMAL_WORDS = frozenset(
    ["canine", "feline", "equine", "veterinary", "veterinaer", "dog", "cat", "horse", "hund", "katze"]
)
_HUMAN_CODES = frozenset({("337915000", "SCT"), ("L-85B00", "SRT"), ("L-85B00", "SNM3")})


def has_identifiers(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Study, Series and SOP Instance UID, without which nothing can be derived."""
    for keyword in _IDENTIFIERS:
        uid = text(ds, keyword)
        if not _UID.fullmatch(uid) or len(uid) > 64:
            return no(ReasonCode.IDENTIFIER_MISSING, f"expected a UID in {keyword}, found none that is one")
    return yes()


def is_accepted_class(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """CR, DX For Presentation, and DX For Processing where the site wants it."""
    sop_class = text(ds, "SOPClassUID")
    if sop_class not in ACCEPTED_SOP_CLASSES:
        found = sop_class if _UID.fullmatch(sop_class) else "none"
        return no(ReasonCode.SOP_CLASS_NOT_ACCEPTED, f"expected CR or DX image storage, found {found[:64]}")
    for_processing = sop_class == DigitalXRayImageStorageForProcessing
    if for_processing and not policy.accept_for_processing:
        return no(ReasonCode.FOR_PROCESSING_NOT_ACCEPTED, "expected a For Presentation image, found For Processing")
    return yes("FOR_PROCESSING") if for_processing else yes()


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
    return yes()


def is_radiography(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Modality CR or DX, and neither scanned film nor a screen capture."""
    modality = text(ds, "Modality").upper()
    if modality and modality not in ("CR", "DX"):
        return no(ReasonCode.MODALITY_NOT_ACCEPTED, f"expected Modality CR or DX, found {quoted(modality)}")
    conversion = text(ds, "ConversionType").upper()
    if conversion not in ("", "DI"):  # a digital interface carries what was digital before
        return no(ReasonCode.SECONDARY_CAPTURE, f"expected an acquisition, found Conversion Type {quoted(conversion)}")
    return yes() if modality else yes("MODALITY_MISSING")


def is_primary(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Not SECONDARY, dual-energy, stitched or a localizer; DERIVED\\PRIMARY is what many consoles call an original."""
    values = [value.upper() for value in texts(ds, "ImageType")]
    if "SECONDARY" in values[1:2]:
        return no(ReasonCode.SECONDARY_IMAGE, "expected a PRIMARY image, found SECONDARY")
    words = series_words(ds)
    if _ENERGY_TYPES & set(values[2:]) or _ENERGY_WORDS & words or {"dual", "energy"} <= words:
        return no(ReasonCode.DUAL_ENERGY, "expected a standard radiograph, found a soft-tissue or bone image")
    if _PLACE_TYPES & set(values[2:]) or {"stitched", "stitching", "localizer"} & words:
        return no(ReasonCode.LOCALIZER_OR_STITCHED, "expected a single exposure, found a localizer or stitched image")
    return yes() if len(values) >= 2 else yes("IMAGE_TYPE_MISSING")


def is_of_a_patient(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """No quality control exposure and no animal."""
    if text(ds, "QualityControlImage").upper() == "YES":
        return no(ReasonCode.QUALITY_CONTROL_IMAGE, "expected a patient, found a quality control image")
    species = items(ds, "PatientSpeciesCodeSequence")
    human = any((text(item, "CodeValue"), text(item, "CodingSchemeDesignator")) in _HUMAN_CODES for item in species)
    breed = text(ds, "PatientBreedDescription") or items(ds, "PatientBreedCodeSequence")
    if (species and not human) or breed or text(ds, "PatientSexNeutered") or _ANIMAL_WORDS & image_words(ds):
        return no(ReasonCode.VETERINARY, "expected a human patient, found an animal")
    return yes()


def has_usable_pixels(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """One frame of 10–16 bit grayscale, large enough to be a diagnostic radiograph."""
    try:
        layout = read_image_pixel(ds)
    except PixelError as error:
        return no(error.pixel_code, str(error))
    if min(layout.rows, layout.columns) < policy.min_side:
        return no(
            ReasonCode.MATRIX_TOO_SMALL,
            f"expected sides of at least {policy.min_side}, found {layout.rows} × {layout.columns}",
        )
    return yes("LOSSY_SOURCE") if text(ds, "LossyImageCompression") == "01" else yes()


def is_upright(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Rows run across the patient and columns towards the feet, as far as Patient Orientation tells (C.7.6.1.1.1)."""
    orientation = [value.upper() for value in texts(ds, "PatientOrientation")]
    if len(orientation) != 2 or not all(orientation):
        return unknown(ReasonCode.NOT_UPRIGHT, "Patient Orientation does not tell")
    if orientation[0][0] in "HF" or orientation[1][0] == "H":
        return no(ReasonCode.NOT_UPRIGHT, f"expected columns towards the feet, found {quoted(' '.join(orientation))}")
    return yes("MIRRORED") if orientation[0] == "R" else yes()
