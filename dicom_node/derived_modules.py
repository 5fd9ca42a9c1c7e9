"""The modules that all our derived images write in the same way: series, equipment, general image, references, SOP."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForProcessing,
)

from dicom_node import codes
from dicom_node.contributing_equipment import software_versions
from dicom_node.derived_kinds import DerivedKind
from dicom_node.element_copy import copied_item
from dicom_node.header_values import integer, items, text
from dicom_node.lookup_tables import is_big_endian
from dicom_node.provenance import DerivedPolicy, Provenance, ascii_only
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME

MAX_IS = 2**31 - 1


def add_series(
    source: Dataset, derived: Dataset, kind: DerivedKind, provenance: Provenance, policy: DerivedPolicy, now: datetime
) -> None:
    """General Series, DX Series."""
    is_cr = text(source, "SOPClassUID") == ComputedRadiographyImageStorage
    derived.Modality = "CR" if is_cr else "DX"
    if not is_cr:
        derived.PresentationIntentType = "FOR PRESENTATION"
    derived.SeriesInstanceUID = provenance.series_uid(text(source, "SeriesInstanceUID"), kind.uid_word)
    number = policy.series_number_offset + kind.series_number_step + (integer(source, "SeriesNumber") or 0)
    derived.SeriesNumber = min(max(number, -MAX_IS), MAX_IS)
    # No Series Date and Time: every image of the source series lands in this one, each at a moment of its own.
    qualification = content_qualification(source, policy)
    words = ("Chest", _view(source), kind.series_words, "RESEARCH" if qualification == "RESEARCH" else "")
    derived.SeriesDescription = " ".join(word for word in words if word)


def add_equipment(derived: Dataset, provenance: Provenance, policy: DerivedPolicy) -> None:
    """General Equipment: ours, never the X-ray unit's, which is among the contributing equipment."""
    derived.Manufacturer = ascii_only(policy.manufacturer, 64)
    derived.ManufacturerModelName = SOFTWARE_NAME
    derived.DeviceSerialNumber = ascii_only(policy.device_serial_number, 64)
    derived.SoftwareVersions = software_versions(provenance)
    derived.DeviceUID = provenance.device_uid()


def add_general_image(
    source: Dataset, derived: Dataset, kind: DerivedKind, policy: DerivedPolicy, now: datetime
) -> None:
    """General Image, and what says that a machine made it; the Derivation Description is the caller's."""
    derived.ImageType = kind.image_type
    number = integer(source, "InstanceNumber")
    derived.InstanceNumber = number if number is not None and abs(number) <= MAX_IS else 1
    derived.ContentDate, derived.ContentTime = date(now), time(now)
    derived.DerivationCodeSequence = Sequence([code.item() for code in kind.derivation])
    derived.ImageComments = kind.image_comments
    derived.QualityControlImage = "NO"
    derived.ContentQualification = content_qualification(source, policy)
    if policy.synthetic_data == "YES":
        derived.SyntheticData = "YES"


def add_references(source: Dataset, derived: Dataset) -> None:
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


def add_sop_common(
    source: Dataset, derived: Dataset, kind: DerivedKind, sop_class: UID, provenance: Provenance, now: datetime
) -> None:
    """SOP Common, with the private scheme of our derivation codes declared."""
    derived.SOPClassUID = sop_class
    derived.SOPInstanceUID = provenance.instance_uid(text(source, "SOPInstanceUID"), kind.uid_word)
    derived.InstanceCreationDate, derived.InstanceCreationTime = date(now), time(now)
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


def in_the_sources_zone(source: Dataset, now: datetime) -> datetime:
    """`now` in the Timezone Offset From UTC of `source`, where there is one and `now` is aware."""
    offset = re.fullmatch(r"([+-])(\d\d)(\d\d)", text(source, "TimezoneOffsetFromUTC"))
    if now.tzinfo is None or offset is None or int(offset[2]) > 14 or int(offset[3]) > 59:
        return now
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return now.astimezone(timezone(-distance if offset[1] == "-" else distance))


def date(now: datetime) -> str:
    """A DA."""
    return now.strftime("%Y%m%d")


def time(now: datetime) -> str:
    """A TM."""
    return now.strftime("%H%M%S.%f")


def content_qualification(source: Dataset, policy: DerivedPolicy) -> str:
    """RESEARCH and SERVICE are handed on; PRODUCT is only ever ours to claim (C.8.13.2.1.1)."""
    inherited = text(source, "ContentQualification").upper()
    return inherited if inherited in ("RESEARCH", "SERVICE") else policy.content_qualification


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = text(source, "SOPClassUID")
    item.ReferencedSOPInstanceUID = text(source, "SOPInstanceUID")
    return item


def _view(source: Dataset) -> str:
    position = text(source, "ViewPosition").upper()
    if position in codes.VIEWS:
        return position
    for item in items(source, "ViewCodeSequence"):
        for name, code in codes.VIEWS.items():
            if text(item, "CodeValue") == code.value:
                return name
    return ""
