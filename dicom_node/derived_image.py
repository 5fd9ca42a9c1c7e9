"""What every derived image of ours shares: a new Series of the source's Study, on the source's grid (PS3.3 A.2, A.26).

`begin` writes all that does not depend on the pixels, `finish` the pixels and what depends on them; between the two a
derived image writes its Derivation Description and its grey scale. Of the source's own IOD (a DX For Processing source
becomes For Presentation), Explicit VR Little Endian, with deterministic UIDs. Pure: the clock comes in as an argument,
and the same arguments give the same object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from dicom_node import codes
from dicom_node.contributing_equipment import add_contributing_equipment
from dicom_node.derived_attributes import TYPE_2, TYPE_2_CR, TYPE_2_DX
from dicom_node.derived_fitness import drop_what_is_unfit
from dicom_node.derived_kinds import DerivedKind
from dicom_node.derived_modules import (
    add_equipment,
    add_general_image,
    add_references,
    add_series,
    add_sop_common,
    in_the_sources_zone,
)
from dicom_node.element_copy import copy_elements, new_dataset_like
from dicom_node.errors import DerivationError
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import integer, items, number, text
from dicom_node.image_pixel import ImagePixel
from dicom_node.lookup_tables import is_big_endian
from dicom_node.lossy_history import add_lossy_history
from dicom_node.pixels import encode_stored
from dicom_node.provenance import DerivedPolicy, Provenance
from dicom_node.secondary_capture import as_secondary_capture

_DERIVED_CLASSES = {
    ComputedRadiographyImageStorage: ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation: DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing: DigitalXRayImageStorageForPresentation,
}
_UNPAIRED = ("CHEST", "THORAX")


@dataclass(frozen=True)
class Derivation:
    """How one derived image comes about: its kind, what made it, how the site labels it, and when (inference began)."""

    kind: DerivedKind
    provenance: Provenance
    policy: DerivedPolicy
    now: datetime


def derived_class(source: Dataset) -> UID:
    """SOP Class UID of what is derived from `source`; DerivationError when it is neither CR nor DX."""
    sop_class = _DERIVED_CLASSES.get(UID(text(source, "SOPClassUID")))
    if sop_class is None:
        raise DerivationError("SOURCE_CLASS_NOT_SUPPORTED", "expected a CR or DX source, found another SOP class")
    return sop_class


def begin(source: Dataset, derivation: Derivation, copied: tuple[str, ...]) -> Dataset:
    """A derived data set without pixels and grey scale; `copied` names what it takes over from `source`."""
    kind, provenance, policy = derivation.kind, derivation.provenance, derivation.policy
    sop_class = derived_class(source)
    now = in_the_sources_zone(source, derivation.now)
    derived = new_dataset_like(source)
    copy_elements(source, derived, copied, big_endian=is_big_endian(source))
    drop_what_is_unfit(derived)
    is_dx = sop_class == DigitalXRayImageStorageForPresentation
    for keyword in (*TYPE_2, *(TYPE_2_DX if is_dx else TYPE_2_CR)):
        if keyword not in derived:
            setattr(derived, keyword, Sequence([]) if keyword.endswith("Sequence") else "")
    add_series(source, derived, kind, provenance, policy, now)
    add_equipment(derived, provenance, policy)
    add_contributing_equipment(source, derived, provenance, policy, now, kind.contribution)
    add_general_image(source, derived, kind, policy, now)
    add_references(source, derived)
    add_sop_common(source, derived, kind, sop_class, provenance, now)
    return derived


def finish(
    source: Dataset, derived: Dataset, source_layout: ImagePixel, layout: ImagePixel, stored: npt.NDArray[np.integer]
) -> Dataset:
    """Complete `derived` with the pixels `stored` (H, W) laid out as `layout`; DerivationError when they do not fit.

    Where a DX could not be truthful and valid at once, the result is the Secondary Capture form of the same image.
    """
    pixel_data = encode_stored(layout, stored)
    derived.SamplesPerPixel = 1
    derived.Rows, derived.Columns = layout.rows, layout.columns
    derived.BitsAllocated, derived.BitsStored, derived.HighBit = 16, layout.bits_stored, layout.bits_stored - 1
    derived.PixelRepresentation = int(layout.signed)
    is_dx = derived.SOPClassUID == DigitalXRayImageStorageForPresentation
    if is_dx:
        _complete_dx(source, derived, source_layout)
    else:
        _complete_cr(source, derived)
    add_lossy_history(source, derived, source_layout, required=is_dx)
    derived.add_new("PixelData", "OW", pixel_data)
    correct_ambiguous_vr(derived, True)
    derived.file_meta = file_meta_of(derived)
    return as_secondary_capture(derived) if is_dx and not _is_truthful_dx(derived) else derived


def _is_truthful_dx(derived: Dataset) -> bool:
    """Whether nothing that DX demands would have to be invented or misstated (C.8.11.3, C.8.11.4).

    Imager Pixel Spacing is a measurement of the detector and Patient Orientation what viewers print their L and R by;
    signed pixels and a rescale other than none are not allowed in DX.
    """
    return (
        "ImagerPixelSpacing" in derived
        and "PatientOrientation" in derived
        and derived.PixelRepresentation == 0
        and "ModalityLUTSequence" not in derived
        and (number(derived, "RescaleSlope"), number(derived, "RescaleIntercept")) == (1.0, 0.0)
    )


def _complete_dx(source: Dataset, derived: Dataset, layout: ImagePixel) -> None:
    """DX Image, DX Anatomy Imaged: what is type 1 and the source left out or filled with something else."""
    if not items(derived, "AnatomicRegionSequence"):
        derived.AnatomicRegionSequence = codes.CHEST.sequence()
    laterality = text(source, "ImageLaterality").upper()
    derived.ImageLaterality = laterality if laterality in ("L", "R", "B", "U") else "U"
    if text(derived, "BurnedInAnnotation").upper() not in ("YES", "NO"):
        derived.BurnedInAnnotation = "NO"
    if text(derived, "PixelIntensityRelationship").upper() not in ("LIN", "LOG"):
        derived.PixelIntensityRelationship = "LOG"
    if integer(derived, "PixelIntensityRelationshipSign") not in (1, -1):
        derived.PixelIntensityRelationshipSign = 1 if layout.photometric_interpretation == "MONOCHROME1" else -1


def _complete_cr(source: Dataset, derived: Dataset) -> None:
    """General Series: the gate let a chest pass, however the source said so; Laterality is for paired parts only."""
    if not text(derived, "BodyPartExamined"):
        derived.BodyPartExamined = "CHEST"
    if len(items(derived, "AnatomicRegionSequence")) > 1:  # more than one is for DX alone
        del derived.AnatomicRegionSequence[1:]
    if text(source, "Laterality").upper() in ("L", "R") and text(derived, "BodyPartExamined").upper() not in _UNPAIRED:
        copy_elements(source, derived, ("Laterality",))
