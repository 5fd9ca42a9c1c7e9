"""What presentation state, report and refusal notice have in common: everything above their content.

Patient, General Study, the start of General Series, General Equipment and SOP Common (PS3.3 C.7.1.1, C.7.2.1, C.7.3.1,
C.7.5.1, C.12.1). Patient and study are the source's, byte for byte, so that a PACS files the object with its image;
all that is added is ASCII. Pure, and safe on any header whatever.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dicom_node.codes import PRIVATE_SCHEME
from dicom_node.derived_attributes import PATIENT, STUDY, TYPE_2
from dicom_node.derived_modules import date, time
from dicom_node.element_copy import copied_item, copy_elements, new_dataset_like
from dicom_node.header_values import integer, items, text
from dicom_node.lookup_tables import is_big_endian
from dicom_node.provenance import DerivedPolicy, ascii_only
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME

# Added to the image's own offset (9000), so that each kind sorts as a block of its own behind the images.
PRESENTATION_STATE_STEP = 3000
REPORT_STEP = 4000
REFUSAL_NOTICE_STEP = 5000

_COPIED = (*PATIENT.split(), *STUDY.split(), "TimezoneOffsetFromUTC")
_MAX_IS = 2**31 - 1


@dataclass(frozen=True)
class DocumentIdentity:
    """Which object of which series."""

    sop_class_uid: UID
    sop_instance_uid: UID
    series_instance_uid: UID
    modality: str
    series_number: int
    series_description: str


@dataclass(frozen=True)
class Maker:
    """The device that wrote the document: its UID and Software Versions."""

    device_uid: UID
    software_versions: Many[str]


def document_of(source: Dataset, identity: DocumentIdentity, maker: Maker, policy: DerivedPolicy) -> Dataset:
    """A data set in the source's study, complete but for its content and its times (`add_times`)."""
    document = new_dataset_like(source)
    # First of all: reading a text element decodes it in its data set, and what cannot be decoded is lost.
    copy_elements(source, document, _COPIED, big_endian=is_big_endian(source))
    for keyword in TYPE_2:
        if keyword not in document:
            setattr(document, keyword, "")
    # General Series. Several images of one series share it, so nothing in it depends on one of them or on the time.
    document.Modality = identity.modality
    document.SeriesInstanceUID = identity.series_instance_uid
    document.SeriesNumber = min(max(identity.series_number, -_MAX_IS), _MAX_IS)
    document.SeriesDescription = ascii_only(identity.series_description, 64)
    # General Equipment
    document.Manufacturer = ascii_only(policy.manufacturer, 64)
    document.ManufacturerModelName = SOFTWARE_NAME
    document.DeviceSerialNumber = ascii_only(policy.device_serial_number, 64)
    document.SoftwareVersions = list(maker.software_versions)
    document.DeviceUID = maker.device_uid
    # SOP Common
    document.SOPClassUID = identity.sop_class_uid
    document.SOPInstanceUID = identity.sop_instance_uid
    document.InstanceCreatorUID = CREATOR_UID
    number_of_source = integer(source, "InstanceNumber")
    usable = number_of_source is not None and 0 <= number_of_source <= _MAX_IS
    document.InstanceNumber = number_of_source if usable else 1
    _declare_coding_schemes(source, document)
    return document


def add_times(document: Dataset, now: datetime) -> None:
    """When the instance was made; `now` is in the source's zone."""
    document.InstanceCreationDate, document.InstanceCreationTime = date(now), time(now)


def add_contribution(soft_tissue: Dataset, document: Dataset) -> None:
    """Contributing Equipment: our own item of the soft-tissue image, for the same algorithm made both (IHE AIR)."""
    ours = items(soft_tissue, "ContributingEquipmentSequence")[-1:]
    if ours:
        document.ContributingEquipmentSequence = Sequence([copied_item(item, document) for item in ours])


def reference_to(instance: Dataset) -> Dataset:
    """An item of a Referenced SOP or Referenced Image Sequence (PS3.3 10.8)."""
    item = Dataset()
    item.ReferencedSOPClassUID = text(instance, "SOPClassUID")
    item.ReferencedSOPInstanceUID = text(instance, "SOPInstanceUID")
    return item


def qualification_words(qualification: str) -> str:
    """What a Content Qualification adds to a text for readers: "RESEARCH", or "" where the content is a product's."""
    return "" if qualification == "PRODUCT" else qualification


def _declare_coding_schemes(source: Dataset, document: Dataset) -> None:
    big_endian = is_big_endian(source)
    carried = [
        copied_item(item, document, big_endian=big_endian)
        for item in items(source, "CodingSchemeIdentificationSequence")
        if text(item, "CodingSchemeDesignator") != PRIVATE_SCHEME
    ]
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "softray derivations"
    scheme.CodingSchemeResponsibleOrganization = SOFTWARE_NAME
    document.CodingSchemeIdentificationSequence = Sequence([*carried, scheme])
