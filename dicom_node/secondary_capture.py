"""The Secondary Capture form of a derived image, for a PACS that refuses DX or CR from us (PS3.3 A.8.1, C.8.6).

Same pixels, Bits Stored, Photometric Interpretation, window and references; view, exposure and detector are left
behind, as the IOD has no place for them. Imager Pixel Spacing and the display shutter stay, as the legal extension that
viewers measure and mask with. The UIDs follow from the derived object's and no clock is read, so that the same object
always gives the same bytes.
"""

from __future__ import annotations

from copy import deepcopy

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
)

from dicom_node.derived_attributes import PATIENT, SERIES, SHUTTER, STUDY
from dicom_node.errors import DerivationError
from dicom_node.header_values import text
from dicom_node.uids import named_uid

_WORKSTATION = "WSD"  # Conversion Type: made by software, not digitised from anything
_KEPT = frozenset(
    (
        PATIENT
        + STUDY
        + SERIES
        + SHUTTER
        + """
SpecificCharacterSet Modality SeriesNumber SeriesDate SeriesTime SeriesDescription Laterality Manufacturer
ManufacturerModelName DeviceSerialNumber SoftwareVersions DeviceUID ContributingEquipmentSequence ImageType
InstanceNumber ContentDate ContentTime AcquisitionNumber AcquisitionDate AcquisitionTime AcquisitionDateTime
AcquisitionUID IrradiationEventUID DerivationDescription DerivationCodeSequence ImageComments QualityControlImage
ContentQualification SyntheticData BurnedInAnnotation RecognizableVisualFeatures LossyImageCompression
LossyImageCompressionRatio LossyImageCompressionMethod PatientOrientation ImageLaterality AnatomicRegionSequence
PrimaryAnatomicStructureSequence SourceImageSequence ReferencedSeriesSequence RealWorldValueMappingSequence
ImagerPixelSpacing PixelSpacing PixelSpacingCalibrationType PixelSpacingCalibrationDescription PixelAspectRatio
SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation
PixelPaddingValue PixelPaddingRangeLimit PixelData RescaleIntercept RescaleSlope RescaleType ModalityLUTSequence
WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction VOILUTSequence CodingSchemeIdentificationSequence
InstanceCreationDate InstanceCreationTime InstanceCreatorUID
"""
    ).split()
)


def as_secondary_capture(derived: Dataset) -> Dataset:
    """The Secondary Capture of a finished derived DX or CR, compressed or not; `derived` is left as it was.

    A Secondary Capture comes back as it is. Raises DerivationError for any other object.
    """
    if derived.SOPClassUID == SecondaryCaptureImageStorage:
        return derived
    if derived.SOPClassUID not in (ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation):
        raise DerivationError("SOURCE_CLASS_NOT_SUPPORTED", "expected a derived CR or DX, found another SOP class")
    capture = deepcopy(derived)
    for tag in list(capture.keys()):  # not the elements, which would decode their text
        if keyword_for_tag(tag) not in _KEPT:
            del capture[tag]
    capture.SOPClassUID = SecondaryCaptureImageStorage
    capture.SOPInstanceUID = secondary_capture_uid(derived.SOPInstanceUID)
    capture.SeriesInstanceUID = named_uid("secondary capture series", derived.SeriesInstanceUID)
    capture.StudyInstanceUID = derived.StudyInstanceUID
    capture.ConversionType = _WORKSTATION
    if not text(capture, "BodyPartExamined"):
        capture.BodyPartExamined = "CHEST"
    if "AnatomicRegionSequence" in capture:
        del capture.AnatomicRegionSequence[1:]  # more than one is for DX alone
    if "PatientOrientation" not in capture:
        capture.PatientOrientation = ""
    capture.file_meta = deepcopy(derived.file_meta)
    capture.file_meta.MediaStorageSOPClassUID = capture.SOPClassUID
    capture.file_meta.MediaStorageSOPInstanceUID = capture.SOPInstanceUID
    return capture


def secondary_capture_uid(derived_instance_uid: str) -> UID:
    """SOP Instance UID of the Secondary Capture of this derived object."""
    return named_uid("secondary capture instance", derived_instance_uid)
