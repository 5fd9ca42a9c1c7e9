"""A valid radiograph object from plain pixels: for PNG input, the phantom, the demo and the tests.

DX For Presentation (PS3.3 A.26), DX For Processing, or CR (A.2), uncompressed. What a detector would have written and
plain pixels do not tell (pixel spacing, orientation) is given by the caller or a nominal value named below; nothing
here is meant to pass for an acquisition.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from dicom_node.codes import CHEST, VIEWS
from dicom_node.file_meta import file_meta_of
from dicom_node.uids import IMPLEMENTATION_VERSION_NAME, SOFTWARE_NAME, named_uid

NOMINAL_FIELD_MM = 350.0  # the shorter side of the usual chest detector, when no pixel spacing is known
WRAPPER_MODEL_NAME = f"{SOFTWARE_NAME} radiograph wrapper"  # not the suppressor: the loop guard must let it pass


class RadiographKind(StrEnum):
    """Which storage SOP class the radiograph gets."""

    DX = "DX"
    DX_FOR_PROCESSING = "DX-PROC"
    CR = "CR"


SOP_CLASSES = {
    RadiographKind.DX: DigitalXRayImageStorageForPresentation,
    RadiographKind.DX_FOR_PROCESSING: DigitalXRayImageStorageForProcessing,
    RadiographKind.CR: ComputedRadiographyImageStorage,
}


def wrap_radiograph(
    display: npt.NDArray[np.floating],
    *,
    sop_class: RadiographKind | str = RadiographKind.DX,
    bits_stored: int = 14,
    monochrome1: bool = False,
    imager_pixel_spacing_mm: float | None = None,
    view_position: str = "PA",
    patient_id: str = "SOFTRAY",
    patient_name: str = "Softray^Radiograph",
    patient_birth_date: str = "",
    patient_sex: str = "",
    patient_age: str = "",
    accession_number: str = "",
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
    acquired_at: datetime | None = None,
) -> Dataset:
    """A complete object, file meta included, that `dcmwrite` accepts as it is.

    `display` is (H, W) in [0, 1] with bone bright, row 0 at the top; it fills the whole range of `bits_stored` (10–16)
    bits. UIDs not given are a function of the pixels and the other arguments, so the same call gives the same object.
    `imager_pixel_spacing_mm` None means that the shorter side is taken as 350 mm. `patient_age` is an AS such as
    "045Y"; "" leaves it unknown. `acquired_at` None leaves dates and times empty.
    """
    kind = RadiographKind(sop_class)
    if display.ndim != 2 or min(display.shape) < 1:
        raise ValueError(f"expected (H, W) pixels, found shape {display.shape}")
    if not 10 <= bits_stored <= 16:
        raise ValueError(f"expected 10 to 16 bits stored, found {bits_stored}")
    stored = _quantised(display, bits_stored, monochrome1)
    rows, columns = stored.shape
    spacing = imager_pixel_spacing_mm or NOMINAL_FIELD_MM / min(rows, columns)
    date = acquired_at.strftime("%Y%m%d") if acquired_at else ""
    time = acquired_at.strftime("%H%M%S") if acquired_at else ""
    described: tuple[object, ...] = (kind, rows, columns, bits_stored, monochrome1, spacing, view_position, patient_id)
    described += (patient_name, patient_birth_date, patient_sex, patient_age, accession_number, date, time)
    uid_names = (hashlib.sha256(stored.tobytes()).hexdigest(), repr(described))

    ds = Dataset()
    # Patient
    ds.PatientName = patient_name
    ds.PatientID = patient_id
    ds.PatientBirthDate = patient_birth_date
    ds.PatientSex = patient_sex
    # General Study, Patient Study
    ds.StudyInstanceUID = study_instance_uid or named_uid("wrapped study", *uid_names)
    ds.StudyDate = date
    ds.StudyTime = time
    ds.ReferringPhysicianName = ""
    ds.StudyID = "1"
    ds.AccessionNumber = accession_number
    if patient_age:
        ds.PatientAge = patient_age
    # General Series
    ds.Modality = "CR" if kind is RadiographKind.CR else "DX"
    ds.SeriesInstanceUID = series_instance_uid or named_uid("wrapped series", *uid_names)
    ds.SeriesNumber = 1
    ds.SeriesDescription = f"Chest {view_position}".strip()
    ds.BodyPartExamined = "CHEST"
    # General Equipment
    ds.Manufacturer = SOFTWARE_NAME
    ds.ManufacturerModelName = WRAPPER_MODEL_NAME
    ds.DeviceSerialNumber = "1"
    ds.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    # General Image
    ds.ImageType = ["ORIGINAL", "PRIMARY"] if kind is RadiographKind.CR else ["ORIGINAL", "PRIMARY", ""]
    ds.InstanceNumber = 1
    ds.PatientOrientation = ["L", "F"]
    ds.ContentDate = ds.AcquisitionDate = date
    ds.ContentTime = ds.AcquisitionTime = time
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    # Image Pixel
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME1" if monochrome1 else "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits_stored, bits_stored - 1
    ds.PixelRepresentation = 0
    ds.ImagerPixelSpacing = [f"{spacing:.6g}"] * 2
    ds.ViewPosition = view_position
    if kind is not RadiographKind.CR:
        _add_dx_attributes(ds, kind, monochrome1, view_position)
    # VOI LUT: For Processing has none (C.8.11.3). With LINEAR, center 2^(n-1) and width 2^n is the full range exactly.
    if kind is not RadiographKind.DX_FOR_PROCESSING:
        ds.WindowCenter, ds.WindowWidth = 2 ** (bits_stored - 1), 2**bits_stored
    ds.add_new("PixelData", "OW", stored.astype("<u2").tobytes())
    # SOP Common
    ds.SOPClassUID = SOP_CLASSES[kind]
    ds.SOPInstanceUID = sop_instance_uid or named_uid("wrapped instance", *uid_names)
    ds.file_meta = file_meta_of(ds)
    return ds


def _quantised(display: npt.NDArray[np.floating], bits_stored: int, monochrome1: bool) -> npt.NDArray[np.uint16]:
    top = (1 << bits_stored) - 1
    bright = np.clip(display.astype(np.float64), 0.0, 1.0)
    stored = np.rint((1.0 - bright if monochrome1 else bright) * top)
    return stored.astype(np.uint16)


def _add_dx_attributes(ds: Dataset, kind: RadiographKind, monochrome1: bool, view_position: str) -> None:
    # DX Series, DX Anatomy Imaged
    ds.PresentationIntentType = "FOR PRESENTATION" if kind is RadiographKind.DX else "FOR PROCESSING"
    ds.AnatomicRegionSequence = CHEST.sequence()
    ds.ImageLaterality = "U"
    # DX Image, DX Detector: display values grow with attenuation, so stored values fall with intensity (sign -1)
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1 if monochrome1 else -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.PresentationLUTShape = "INVERSE" if monochrome1 else "IDENTITY"
    ds.DetectorType = ""
    # DX Positioning, Acquisition Context
    ds.PositionerType = ""
    if view_position in VIEWS:
        view = VIEWS[view_position].item()
        view.ViewModifierCodeSequence = Sequence([])
        ds.ViewCodeSequence = Sequence([view])
    ds.AcquisitionContextSequence = Sequence([])
