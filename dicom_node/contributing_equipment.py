"""Contributing Equipment Sequence (0018,A001): who made the source, and we (PS3.3 C.12.1.1.5, IHE AIR §6.5.3.1)."""

from __future__ import annotations

from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.codes import ACQUISITION_EQUIPMENT, PROCESSING_EQUIPMENT
from dicom_node.derived_fitness import drop_unfit_values
from dicom_node.element_copy import copied_item, copy_elements
from dicom_node.header_values import items, text
from dicom_node.lookup_tables import is_big_endian
from dicom_node.provenance import DerivedPolicy, Provenance, ascii_only
from dicom_node.uids import SOFTWARE_NAME
from dicom_node.value_grammar import obeys_its_vr

# What of the source's Equipment and Series modules describes the X-ray unit and those who ran it.
_IDENTITY = (
    "Manufacturer",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "InstitutionalDepartmentName",
    "OperatorsName",
    "OperatorIdentificationSequence",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "DeviceUID",
    "UDISequence",
    "SpatialResolution",
    "DateOfLastCalibration",
    "TimeOfLastCalibration",
)


def add_contributing_equipment(
    source: Dataset,
    derived: Dataset,
    provenance: Provenance,
    policy: DerivedPolicy,
    now: datetime,
    contribution: str = "Bone suppression",
) -> None:
    """The source's own items unchanged, then the equipment that made the source, then ours with its `contribution`."""
    big_endian = is_big_endian(source)
    carried = [
        copied_item(item, derived, big_endian=big_endian) for item in items(source, "ContributingEquipmentSequence")
    ]
    ours = _our_equipment(provenance, policy, now)
    ours.ContributionDescription = contribution
    derived.ContributingEquipmentSequence = Sequence([*carried, _source_equipment(source, derived, big_endian), ours])


def _source_equipment(source: Dataset, derived: Dataset, big_endian: bool) -> Dataset:
    identity = Dataset()
    copy_elements(source, identity, _IDENTITY, big_endian=big_endian)
    drop_unfit_values(identity)
    item = copied_item(identity, derived)
    if not text(source, "Manufacturer"):
        item.Manufacturer = "UNKNOWN"  # type 1
    # Note 3 of C.12.1.1.5: what a console derived was made by the console, whatever acquired it.
    derived_already = text(source, "ImageType").upper() == "DERIVED"
    purpose = PROCESSING_EQUIPMENT if derived_already else ACQUISITION_EQUIPMENT
    item.PurposeOfReferenceCodeSequence = purpose.sequence()
    acquired = _acquisition_datetime(source)
    if acquired:
        item.ContributionDateTime = acquired
    return item


def _our_equipment(provenance: Provenance, policy: DerivedPolicy, now: datetime) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = PROCESSING_EQUIPMENT.sequence()
    item.Manufacturer = ascii_only(policy.manufacturer, 64)
    item.ManufacturerModelName = SOFTWARE_NAME
    item.DeviceSerialNumber = ascii_only(policy.device_serial_number, 64)
    item.SoftwareVersions = software_versions(provenance)
    item.DeviceUID = provenance.device_uid()
    item.ContributionDateTime = now.strftime("%Y%m%d%H%M%S.%f%z")[:26]
    return item


def software_versions(provenance: Provenance) -> list[str]:
    """Software Versions of ours: the service's and the model's."""
    service = f"{SOFTWARE_NAME} {provenance.service_version}"
    return [ascii_only(service, 64), ascii_only(f"{provenance.model_name} {provenance.model_version}", 64)]


def _acquisition_datetime(source: Dataset) -> str:
    stated = text(source, "AcquisitionDateTime")
    if len(stated) >= 8 and obeys_its_vr("AcquisitionDateTime", (stated,)):
        return stated
    for event in ("Acquisition", "Content", "Series", "Study"):
        date, time = text(source, f"{event}Date"), text(source, f"{event}Time")
        if date and obeys_its_vr("AcquisitionDate", (date,)):
            return date + (time if obeys_its_vr("AcquisitionTime", (time,)) else "")
    return ""
