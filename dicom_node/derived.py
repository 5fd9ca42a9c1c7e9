"""The derived object: a bone-suppressed companion in a new Series of the source's Study (PS3.3 A.2, A.26, C.7.6.1).

One instance per source instance, of the source's own IOD (a DX For Processing source becomes For Presentation), on the
source's grid, in its stored-value space, Explicit VR Little Endian, with deterministic UIDs. Pure: the clock comes in
as an argument, and the same arguments give the same object.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

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
from dicom_node.contributing_equipment import add_contributing_equipment, software_versions
from dicom_node.derived_attributes import COPIED, TYPE_2, TYPE_2_CR, TYPE_2_DX
from dicom_node.derived_voi import add_grey_scale
from dicom_node.element_copy import copied_item, copy_elements, new_dataset_like
from dicom_node.errors import DerivationError
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import integer, items, text
from dicom_node.image_pixel import ImagePixel, read_image_pixel
from dicom_node.lookup_tables import is_big_endian
from dicom_node.lossy_history import add_lossy_history
from dicom_node.pixels import encode_pixel_data
from dicom_node.provenance import DerivedPolicy, Provenance, ascii_only
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME

__all__ = ["DerivedPolicy", "Provenance", "derive"]

IMAGE_TYPE = ["DERIVED", "SECONDARY", "", "BONE_SUPPRESSED", "AI"]  # value 3 is specific to the IOD: empty in DX
IMAGE_COMMENTS = "AI bone-suppressed companion image. Read with the original."
MAX_IS = 2**31 - 1
_DERIVED_CLASSES = {
    ComputedRadiographyImageStorage: ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation: DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing: DigitalXRayImageStorageForPresentation,
}


def derive(
    source: Dataset, stored: npt.NDArray[np.integer], provenance: Provenance, policy: DerivedPolicy, now: datetime
) -> Dataset:
    """The derived object of `source` with the stored values `stored` (H, W), as `pixels.write_back` gives them.

    `now` is the start of inference. Aware, it is written in the source's Timezone Offset From UTC where there is one,
    in its own zone otherwise; naive, it is taken to be local to the source. `source` is left as it was. Raises
    DerivationError when the pixels do not fit or the source is of another class, PixelError when its header has no
    usable layout.
    """
    sop_class = _DERIVED_CLASSES.get(UID(text(source, "SOPClassUID")))
    if sop_class is None:
        raise DerivationError("SOURCE_CLASS_NOT_SUPPORTED", "expected a CR or DX source, found another SOP class")
    layout = read_image_pixel(source)
    pixel_data = encode_pixel_data(source, stored)
    now = _in_the_sources_zone(source, now)

    derived = new_dataset_like(source)
    copy_elements(source, derived, COPIED, big_endian=is_big_endian(source))
    is_dx = sop_class == DigitalXRayImageStorageForPresentation
    for keyword in (*TYPE_2, *(TYPE_2_DX if is_dx else TYPE_2_CR)):
        if keyword not in derived:
            setattr(derived, keyword, Sequence([]) if keyword.endswith("Sequence") else "")

    _add_series(source, derived, provenance, policy, now)
    _add_equipment(derived, provenance, policy)
    add_contributing_equipment(source, derived, provenance, policy, now)
    _add_general_image(source, derived, provenance, policy, now)
    _add_references(source, derived)
    _add_image_pixel(derived, layout)
    if is_dx:
        _complete_dx(source, derived, layout)
    else:
        _complete_cr(source, derived)
    add_grey_scale(source, derived, layout, stored)
    add_lossy_history(source, derived, layout, required=is_dx)
    _add_sop_common(source, derived, sop_class, provenance, now)
    derived.add_new("PixelData", "OW", pixel_data)
    correct_ambiguous_vr(derived, True)
    derived.file_meta = file_meta_of(derived)
    return derived


def _add_series(
    source: Dataset, derived: Dataset, provenance: Provenance, policy: DerivedPolicy, now: datetime
) -> None:
    """General Series, DX Series."""
    is_cr = text(source, "SOPClassUID") == ComputedRadiographyImageStorage
    derived.Modality = "CR" if is_cr else "DX"
    if not is_cr:
        derived.PresentationIntentType = "FOR PRESENTATION"
    derived.SeriesInstanceUID = provenance.series_uid(text(source, "SeriesInstanceUID"))
    number = policy.series_number_offset + (integer(source, "SeriesNumber") or 0)
    derived.SeriesNumber = min(max(number, -MAX_IS), MAX_IS)
    derived.SeriesDate, derived.SeriesTime = _date(now), _time(now)
    qualification = _content_qualification(source, policy)
    words = ("Chest", _view(source), "bone suppressed (AI)", "RESEARCH" if qualification == "RESEARCH" else "")
    derived.SeriesDescription = " ".join(word for word in words if word)


def _add_equipment(derived: Dataset, provenance: Provenance, policy: DerivedPolicy) -> None:
    """General Equipment: ours, never the X-ray unit's, which is among the contributing equipment."""
    derived.Manufacturer = ascii_only(policy.manufacturer, 64)
    derived.ManufacturerModelName = SOFTWARE_NAME
    derived.DeviceSerialNumber = ascii_only(policy.device_serial_number, 64)
    derived.SoftwareVersions = software_versions(provenance)
    derived.DeviceUID = provenance.device_uid()


def _add_general_image(
    source: Dataset, derived: Dataset, provenance: Provenance, policy: DerivedPolicy, now: datetime
) -> None:
    """General Image, and what says that a machine made it."""
    derived.ImageType = IMAGE_TYPE
    number = integer(source, "InstanceNumber")
    derived.InstanceNumber = number if number is not None and abs(number) <= MAX_IS else 1
    derived.ContentDate, derived.ContentTime = _date(now), _time(now)
    derived.DerivationDescription = provenance.description()
    derived.DerivationCodeSequence = Sequence(
        [codes.ARTIFICIAL_INTELLIGENCE.item(), codes.BONE_SUPPRESSION.item(), codes.SUBTRACTION.item()]
    )
    derived.ImageComments = IMAGE_COMMENTS
    derived.QualityControlImage = "NO"
    derived.ContentQualification = _content_qualification(source, policy)
    if policy.synthetic_data == "YES":
        derived.SyntheticData = "YES"


def _add_references(source: Dataset, derived: Dataset) -> None:
    """Source Image Sequence, and the Common Instance Reference module."""
    for_processing = text(source, "SOPClassUID") == DigitalXRayImageStorageForProcessing
    image = _reference(source)
    image.SpatialLocationsPreserved = "YES"  # the derived grid is the source's
    purpose = codes.FOR_PROCESSING_PREDECESSOR if for_processing else codes.SOURCE_FOR_PROCESSING
    image.PurposeOfReferenceCodeSequence = purpose.sequence()
    derived.SourceImageSequence = Sequence([image])
    series = Dataset()
    series.SeriesInstanceUID = text(source, "SeriesInstanceUID")
    series.ReferencedInstanceSequence = Sequence([_reference(source)])
    derived.ReferencedSeriesSequence = Sequence([series])


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = text(source, "SOPClassUID")
    item.ReferencedSOPInstanceUID = text(source, "SOPInstanceUID")
    return item


def _add_image_pixel(derived: Dataset, layout: ImagePixel) -> None:
    derived.SamplesPerPixel = 1
    derived.Rows, derived.Columns = layout.rows, layout.columns
    derived.BitsAllocated, derived.BitsStored, derived.HighBit = 16, layout.bits_stored, layout.bits_stored - 1
    derived.PixelRepresentation = int(layout.signed)


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
    if text(source, "Laterality"):
        copy_elements(source, derived, ("Laterality",))


def _add_sop_common(source: Dataset, derived: Dataset, sop_class: UID, provenance: Provenance, now: datetime) -> None:
    derived.SOPClassUID = sop_class
    derived.SOPInstanceUID = provenance.instance_uid(text(source, "SOPInstanceUID"))
    derived.InstanceCreationDate, derived.InstanceCreationTime = _date(now), _time(now)
    derived.InstanceCreatorUID = CREATOR_UID
    scheme = Dataset()
    scheme.CodingSchemeDesignator = codes.PRIVATE_SCHEME
    scheme.CodingSchemeName = "softray derivations"
    scheme.CodingSchemeResponsibleOrganization = SOFTWARE_NAME
    carried = [
        copied_item(item, derived, big_endian=is_big_endian(source))
        for item in items(source, "CodingSchemeIdentificationSequence")
    ]
    derived.CodingSchemeIdentificationSequence = Sequence([*carried, scheme])


def _content_qualification(source: Dataset, policy: DerivedPolicy) -> str:
    """RESEARCH and SERVICE are handed on; PRODUCT is only ever ours to claim (C.8.13.2.1.1)."""
    inherited = text(source, "ContentQualification").upper()
    return inherited if inherited in ("RESEARCH", "SERVICE") else policy.content_qualification


def _view(source: Dataset) -> str:
    position = text(source, "ViewPosition").upper()
    if position in codes.VIEWS:
        return position
    for item in items(source, "ViewCodeSequence"):
        for name, code in codes.VIEWS.items():
            if text(item, "CodeValue") == code.value:
                return name
    return ""


def _in_the_sources_zone(source: Dataset, now: datetime) -> datetime:
    offset = re.fullmatch(r"([+-])(\d\d)(\d\d)", text(source, "TimezoneOffsetFromUTC"))
    if now.tzinfo is None or offset is None or int(offset[2]) > 14 or int(offset[3]) > 59:
        return now
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return now.astimezone(timezone(-distance if offset[1] == "-" else distance))


def _date(now: datetime) -> str:
    return now.strftime("%Y%m%d")


def _time(now: datetime) -> str:
    return now.strftime("%H%M%S.%f")
