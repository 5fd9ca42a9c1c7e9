"""Is this a readable radiograph of a patient? SOP class, modality, species, pixel header, orientation."""

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
from dicom_node.header_words import image_words, quoted
from dicom_node.image_pixel import read_image_pixel

SOP_CLASSES: dict[str, str] = {
    ComputedRadiographyImageStorage: "CR",
    DigitalXRayImageStorageForPresentation: "DX",
    DigitalXRayImageStorageForProcessing: "DX",
}
ACCEPTED_SOP_CLASSES = tuple(SOP_CLASSES)
# Secondary Capture and its multi-frame kinds (PS3.4 B.5): screenshots, scanned film, exports without calibration.
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
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
    return yes("Study, Series and SOP Instance UID")


def is_accepted_class(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """CR, DX For Presentation, and DX For Processing, as far as the site wants them."""
    sop_class = text(ds, "SOPClassUID")
    wanted = " or ".join(sorted(policy.sop_classes))
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(f"{SECONDARY_CAPTURE}."):
        detail = f"expected {wanted} image storage, found Secondary Capture image storage"
        return no(ReasonCode.SECONDARY_CAPTURE, detail)
    name = SOP_CLASSES.get(sop_class)
    if name is None or name not in policy.sop_classes:
        found = sop_class if _UID.fullmatch(sop_class) else "none"
        return no(ReasonCode.SOP_CLASS_NOT_ACCEPTED, f"expected {wanted} image storage, found {found[:64]}")
    for_processing = sop_class == DigitalXRayImageStorageForProcessing
    if for_processing and not policy.accept_for_processing:
        return no(ReasonCode.FOR_PROCESSING_NOT_ACCEPTED, "expected a For Presentation image, found For Processing")
    return yes("DX For Processing", "FOR_PROCESSING") if for_processing else yes(f"{name} image storage")


def is_radiography(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """A modality that the site wants, and neither scanned film nor a screen capture."""
    modality = text(ds, "Modality").upper()
    if modality and modality not in policy.modalities:
        wanted = " or ".join(sorted(policy.modalities))
        return no(ReasonCode.MODALITY_NOT_ACCEPTED, f"expected Modality {wanted}, found {quoted(modality)}")
    conversion = text(ds, "ConversionType").upper()
    if conversion not in ("", "DI"):  # a digital interface carries what was digital before
        return no(ReasonCode.SECONDARY_CAPTURE, f"expected an acquisition, found Conversion Type {quoted(conversion)}")
    return yes(f"Modality {modality}") if modality else yes("no Modality", "MODALITY_MISSING")


def is_of_a_patient(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """No quality control exposure and no animal."""
    if text(ds, "QualityControlImage").upper() == "YES":
        return no(ReasonCode.QUALITY_CONTROL_IMAGE, "expected a patient, found a quality control image")
    species = items(ds, "PatientSpeciesCodeSequence")
    human = any((text(item, "CodeValue"), text(item, "CodingSchemeDesignator")) in _HUMAN_CODES for item in species)
    breed = text(ds, "PatientBreedDescription") or items(ds, "PatientBreedCodeSequence")
    if (species and not human) or breed or text(ds, "PatientSexNeutered") or _ANIMAL_WORDS & image_words(ds):
        return no(ReasonCode.VETERINARY, "expected a human patient, found an animal")
    return yes("no quality control image, no animal")


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
    matrix = f"{layout.rows} × {layout.columns}, {layout.bits_stored} bits, {layout.photometric_interpretation}"
    return yes(matrix, "LOSSY_SOURCE") if text(ds, "LossyImageCompression") == "01" else yes(matrix)


def is_upright(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """Rows run across the patient and columns towards the feet, as far as Patient Orientation tells (C.7.6.1.1.1)."""
    orientation = [value.upper() for value in texts(ds, "PatientOrientation")]
    if len(orientation) != 2 or not all(orientation):
        return unknown(ReasonCode.NOT_UPRIGHT, "Patient Orientation does not tell")
    if orientation[0][0] in "HF" or orientation[1][0] == "H":
        return no(ReasonCode.NOT_UPRIGHT, f"expected columns towards the feet, found {quoted(' '.join(orientation))}")
    found = f"Patient Orientation {quoted(' '.join(orientation))}"
    return yes(found, "MIRRORED") if orientation[0] == "R" else yes(found)
