from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGLSNearLossless,
    SecondaryCaptureImageStorage,
)

from dicom_node.codes import Code
from dicom_node.derived import DerivedPolicy, Provenance, derive
from dicom_node.derived_attributes import COPIED
from dicom_node.eligibility import EligibilityPolicy, Eligible, judge
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source, write_back
from dicom_node.radiograph import SOP_CLASSES, RadiographKind
from tests.dicom_node.derivation import KINDS, NOW, POLICY, PROVENANCE, SMALL, small
from tests.dicom_node.factories import (
    LOSSLESS,
    dcentvfy_errors,
    dciodvfy_errors,
    in_transfer_syntax,
    lut_item,
    radiograph,
    reread,
    small_radiograph,
)


def derived_from(source: Dataset, amount: float = 0.05, **policy: object) -> Dataset:
    image = read_source(source, check_polarity=False)
    stored = write_back(image, np.full(image.stored.shape, amount, np.float32))
    return derive(source, stored, PROVENANCE, DerivedPolicy(**policy), NOW)  # type: ignore[arg-type]


# --- validity over the matrix of what sources may be ----------------------------------------------------------------


def with_voi(ds: Dataset, voi: str, bits: int) -> Dataset:
    if voi == "lut":
        del ds.WindowCenter, ds.WindowWidth
        item = lut_item(np.arange(1 << bits) << (16 - bits), bits=16)
        item.LUTExplanation = "NORMAL"
        ds.VOILUTSequence = Sequence([item])
    elif voi != "window":
        ds.VOILUTFunction = voi
    return ds


@pytest.mark.parametrize("voi", ["window", "lut", "SIGMOID", "LINEAR_EXACT"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.CR])
def test_the_derived_object_is_valid_and_consistent_with_its_source(
    kind: RadiographKind, monochrome1: bool, bits: int, voi: str, tmp_path: Path
) -> None:
    source = reread(with_voi(small(kind, bits_stored=bits, monochrome1=monochrome1), voi, bits))
    assert dciodvfy_errors(source, tmp_path) == []
    derived = derived_from(source)
    assert dciodvfy_errors(derived, tmp_path) == []
    assert dcentvfy_errors([source, derived], tmp_path) == []
    assert derived.SOPClassUID == SOP_CLASSES[kind]
    assert (derived.BitsAllocated, derived.BitsStored, derived.HighBit) == (16, bits, bits - 1)
    assert np.array_equal(read_source(derived_from(source, 0.0)).display, read_source(source).display)


@pytest.mark.parametrize("relationship", ["LIN", "LOG"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_for_processing_source_becomes_a_valid_for_presentation_object(
    relationship: str, sign: int, bits: int, tmp_path: Path
) -> None:
    top = (1 << bits) - 1
    intensity = np.rint(top * np.exp(-3 * SMALL)) if relationship == "LIN" else np.rint(top * (1 - SMALL))
    stored = intensity if sign == 1 else top - intensity
    source = small_radiograph(
        stored.astype(int),
        RadiographKind.DX_FOR_PROCESSING,
        bits_stored=bits,
        PixelIntensityRelationship=relationship,
        PixelIntensityRelationshipSign=sign,
    )
    assert dciodvfy_errors(source, tmp_path) == []
    derived = derived_from(source)
    assert dciodvfy_errors(derived, tmp_path) == []
    assert dcentvfy_errors([source, derived], tmp_path) == []
    assert derived.PresentationIntentType == "FOR PRESENTATION"
    assert derived.SOPClassUID == SOP_CLASSES[RadiographKind.DX]
    assert derived.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "121358"
    shown = read_source(derived).display  # its polarity is checked as well
    assert np.corrcoef(shown.ravel(), SMALL.ravel())[0, 1] > 0.99
    assert shown.max() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("uid", LOSSLESS, ids=lambda uid: uid.name)
@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.CR])
def test_whatever_the_source_is_encoded_in_the_derived_object_is_explicit_little_endian(
    kind: RadiographKind, uid: UID, tmp_path: Path
) -> None:
    plain = with_voi(small(kind, PixelPaddingValue=0, bits_stored=12), "lut", 12)
    expected = derived_from(reread(plain))
    derived = derived_from(in_transfer_syntax(plain, uid))
    assert derived.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert derived.PixelData == expected.PixelData
    assert reread(derived).VOILUTSequence[0].LUTData == expected.VOILUTSequence[0].LUTData
    assert reread(derived).PixelPaddingValue == 0
    assert dciodvfy_errors(derived, tmp_path) == []


# --- character sets -------------------------------------------------------------------------------------------------

CHARACTER_SETS: list[tuple[object, bytes, bytes]] = [
    ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Städtisches Klinikum".encode("latin-1")),
    ("ISO_IR 144", "Иванов^Пётр".encode("iso8859-5"), "Рентген".encode("iso8859-5")),
    ("ISO_IR 192", "王^小東=山田^太郎".encode(), "Köln 東京".encode()),
    ("GB18030", "王^小东".encode("gb18030"), "胸部正位".encode("gb18030")),
    (["", "ISO 2022 IR 87"], b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\x1b$B6;It\x1b(B"),
    ("ISO_IR 100", b"broken^\xff\xfe\x80\x81", b"\x80\x99\xff"),
    (None, b"unlabelled^\xe4\xf6\xfc", b"\xfc\xfc"),
    ("NO SUCH SET", b"odd^\xe4\xf6", b"\xe4"),
]


def raw(keyword: str, vr: str, value: bytes) -> RawDataElement:
    padded = value + b" " * (len(value) % 2)
    return RawDataElement(Tag(keyword), vr, len(padded), padded, 0, False, True)


def written(ds: Dataset) -> bytes:
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(("character_set", "name", "description"), CHARACTER_SETS, ids=lambda one: repr(one)[:24])
def test_text_of_the_source_is_carried_over_byte_for_byte(
    character_set: object, name: bytes, description: bytes, tmp_path: Path
) -> None:
    source = small()
    request = Dataset()
    if character_set is not None:
        source.SpecificCharacterSet = character_set
    for ds, keyword, vr, value in (
        (source, "PatientName", "PN", name),
        (source, "StudyDescription", "LO", description),
        (source, "InstitutionName", "LO", description),
        (request, "RequestedProcedureDescription", "LO", description),
    ):
        ds[Tag(keyword)] = raw(keyword, vr, value)
        ds.set_original_encoding(False, True, ds._character_set)
    request._parent_encoding = source._character_set
    request.set_original_encoding(False, True, source._character_set)
    source.RequestAttributesSequence = Sequence([request])
    source = pydicom.dcmread(BytesIO(written(source)))
    derived = pydicom.dcmread(BytesIO(written(derived_from(source))))

    padded = description + b" " * (len(description) % 2)
    assert derived.get_item("PatientName").value.rstrip(b" ") == name
    assert derived.get_item("StudyDescription").value == padded
    assert derived.RequestAttributesSequence[0].get_item("RequestedProcedureDescription").value == padded
    assert derived.ContributingEquipmentSequence[0].get_item("InstitutionName").value == padded
    assert ("SpecificCharacterSet" in derived) == (character_set is not None)


def test_what_we_add_is_ascii() -> None:
    derived = derived_from(small(SpecificCharacterSet="ISO_IR 192", PatientName="王^小東"), manufacturer="Größe\\Ω")
    assert derived.Manufacturer == "Gr??e/?"
    for keyword in ("SeriesDescription", "DerivationDescription", "ImageComments"):
        assert derived[keyword].value.isascii()
    assert len(derived.SeriesDescription) <= 64


# --- what is copied and what is not ---------------------------------------------------------------------------------


def test_patient_study_and_acquisition_are_carried_over() -> None:
    source = small(
        PatientSize="1.7",
        KVP="125",
        ExposureIndex="300",
        IrradiationEventUID="1.2.3",
        AcquisitionDate="20240517",
        ProtocolName="Chest PA",
        TimezoneOffsetFromUTC="+0100",
        RequestAttributesSequence=Sequence([Dataset()]),
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=0,
        ShutterRightVerticalEdge=51,
        ShutterUpperHorizontalEdge=0,
        ShutterLowerHorizontalEdge=61,
    )
    derived = derived_from(reread(source))
    for keyword in COPIED:
        if keyword in source and keyword not in ("PhotometricInterpretation", "PresentationLUTShape"):
            assert derived[keyword].value == source[keyword].value, keyword
    assert derived.StudyInstanceUID == source.StudyInstanceUID
    assert derived.WindowCenter == source.WindowCenter


DROPPED: dict[str, object] = {
    "SmallestImagePixelValue": 0,
    "EntranceDoseInmGy": "0.2",
    "ImageAndFluoroscopyAreaDoseProduct": "1.5",
    "AcquisitionDeviceProcessingCode": "0217",
    "PerformedProcedureStepID": "PPS1",
    "PerformedProcedureStepStartDate": "20240517",
    "ReferencedPerformedProcedureStepSequence": Sequence([Dataset()]),
    "OperatorsName": "Op^Erator",
    "PerformingPhysicianName": "Phys^Ician",
    "IconImageSequence": Sequence([Dataset()]),
    "OriginalAttributesSequence": Sequence([Dataset()]),
    "InstanceOriginStatus": "LOCAL",
    "RetrieveAETitle": "PACS",
}


def test_what_is_not_true_of_the_derived_object_is_left_behind() -> None:
    source = small(**DROPPED)
    source.add_new(0x60000010, "US", 8)
    source.add_new(0x60003000, "OW", bytes(8))
    block = source.private_block(0x0029, "VENDOR", create=True)
    block.add_new(1, "LO", "secret")
    request = Dataset()
    request.ScheduledProcedureStepID = "S1"
    request.private_block(0x0029, "VENDOR", create=True).add_new(1, "LO", "secret")
    source.RequestAttributesSequence = Sequence([request])
    derived = derived_from(reread(source))
    for keyword in (*DROPPED, "StationName", "InstitutionName"):
        assert keyword not in derived, keyword
    assert not [tag for tag in derived._dict if tag.group == 0x6000]
    tags = [element.tag for element in derived.iterall()]
    assert not [tag for tag in tags if tag.is_private]
    assert derived.RequestAttributesSequence[0].ScheduledProcedureStepID == "S1"


def test_the_x_ray_unit_is_contributing_equipment_and_the_equipment_is_ours() -> None:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Code("109105", "DCM", "Scanner").sequence()
    item.Manufacturer = "Earlier"
    source = small(ContributingEquipmentSequence=Sequence([item]), OperatorsName="Op^Erator")
    derived = derived_from(reread(source))
    earlier, unit, ours = derived.ContributingEquipmentSequence
    assert earlier.Manufacturer == "Earlier"
    assert (unit.Manufacturer, unit.DeviceSerialNumber, unit.StationName) == ("Example X-ray Company", "SN-42", "ROOM1")
    assert unit.OperatorsName == "Op^Erator"
    assert unit.PurposeOfReferenceCodeSequence[0].CodeValue == "109101"
    assert unit.ContributionDateTime == "20240517093012"
    assert ours.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert ours.DeviceUID == derived.DeviceUID == PROVENANCE.device_uid()
    assert (derived.Manufacturer, derived.ManufacturerModelName) == ("softray", "softray")
    assert list(derived.SoftwareVersions) == ["softray 0.1.0", "bs-ldm-lite 1.2"]


def test_a_source_derived_by_a_console_names_it_as_processing_equipment() -> None:
    derived = derived_from(small(ImageType=["DERIVED", "PRIMARY", ""], remove=("Manufacturer",)))
    console = derived.ContributingEquipmentSequence[0]
    assert console.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert console.Manufacturer == "UNKNOWN"


# --- what it says of itself -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_that_it_is_derived_and_by_what(kind: RadiographKind) -> None:
    derived = derived_from(small(kind))
    assert list(derived.ImageType) == ["DERIVED", "SECONDARY", "", "BONE_SUPPRESSED", "AI"]
    assert derived.SeriesDescription == "Chest PA bone suppressed (AI) RESEARCH"
    assert derived.SyntheticData == "YES"
    assert derived.ContentQualification == "RESEARCH"
    for fact in ("bs-ldm-lite", "1.2", "ab" * 32, "dpm-solver++(2m)", "steps=15", "seed=7", "cpu", "float32", "latent"):
        assert fact in derived.DerivationDescription
    assert [item.CodeValue for item in derived.DerivationCodeSequence] == ["123110", "BS001", "113062"]
    assert derived.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99SOFTRAY"


def test_a_description_never_exceeds_its_vr_and_names_the_method_as_it_is() -> None:
    one_pass = Provenance("m" * 900, "1", "cd" * 32, "residual-unet", "one-pass", 1, 0, "f32", "cpu", "0", "x=1 " * 300)
    assert len(one_pass.description()) == 1024
    assert "one-pass convolutional network" in one_pass.description()
    assert "diffusion" not in one_pass.description()


def test_it_refers_to_its_source() -> None:
    source = small()
    derived = derived_from(source)
    image = derived.SourceImageSequence[0]
    assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert image.SpatialLocationsPreserved == "YES"
    assert image.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    series = derived.ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID


@pytest.mark.parametrize(
    ("inherited", "policy", "expected"),
    [("RESEARCH", "PRODUCT", "RESEARCH"), ("SERVICE", "PRODUCT", "SERVICE"), ("PRODUCT", "RESEARCH", "RESEARCH")],
)
def test_research_and_service_are_handed_on(inherited: str, policy: str, expected: str) -> None:
    derived = derived_from(small(ContentQualification=inherited), content_qualification=policy)
    assert derived.ContentQualification == expected
    assert ("RESEARCH" in derived.SeriesDescription) == (expected == "RESEARCH")


def test_synthetic_data_may_be_left_out_and_is_never_denied() -> None:
    assert "SyntheticData" not in derived_from(small(), synthetic_data="")
    assert "SyntheticData" not in derived_from(small(), synthetic_data="NO")


def test_uids_depend_on_source_model_and_every_parameter_and_on_nothing_else() -> None:
    source = small()
    stored = read_source(source).stored
    first = derive(source, stored, PROVENANCE, POLICY, NOW)
    later = derive(source, stored, PROVENANCE, POLICY, NOW + timedelta(days=1))
    assert first.SOPInstanceUID == later.SOPInstanceUID
    assert first.SeriesInstanceUID == later.SeriesInstanceUID
    assert derive(source, stored, PROVENANCE, POLICY, NOW) == first
    changed: dict[str, object] = {"seed": 8, "steps": 16, "sampler": "ddpm", "precision": "bf16", "device": "cuda"}
    changed |= {"model_sha256": "cd" * 32, "parameters": "x=1", "run": 1, "service_version": "0.2.0"}
    for name, value in changed.items():
        other = derive(source, stored, Provenance(**{**PROVENANCE.__dict__, name: value}), POLICY, NOW)
        assert other.SOPInstanceUID != first.SOPInstanceUID, name
        assert other.SeriesInstanceUID != first.SeriesInstanceUID, name


def test_sources_of_one_series_share_a_derived_series() -> None:
    one, two = derived_from(small(SOPInstanceUID="1.2.3")), derived_from(small(SOPInstanceUID="1.2.4"))
    assert one.SOPInstanceUID != two.SOPInstanceUID
    one, two = (derived_from(small(SOPInstanceUID=uid, SeriesInstanceUID="1.9")) for uid in ("1.2.3", "1.2.4"))
    assert one.SeriesInstanceUID == two.SeriesInstanceUID


@pytest.mark.parametrize(("stated", "expected"), [(3, 9003), (None, 9000), (2**31 - 5, 2**31 - 1)])
def test_the_series_number_is_moved_out_of_the_way(stated: int | None, expected: int) -> None:
    assert derived_from(small(SeriesNumber=stated)).SeriesNumber == expected


# --- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "now", "date", "time"),
    [
        ("+0530", NOW, "20260304", "180015.250000"),
        ("-0800", datetime(2026, 3, 4, 2, 0, tzinfo=UTC), "20260303", "180000.000000"),
        ("", NOW.astimezone(timezone(timedelta(hours=2))), "20260304", "143015.250000"),
        ("garbage", NOW, "20260304", "123015.250000"),
        ("+0100", datetime(2026, 3, 4, 5, 6, 7), "20260304", "050607.000000"),
    ],
)
def test_times_are_written_in_the_zone_of_the_source(offset: str, now: datetime, date: str, time: str) -> None:
    source = small()
    if offset:
        source.TimezoneOffsetFromUTC = offset
    derived = derive(source, read_source(source).stored, PROVENANCE, POLICY, now)
    for event in ("Content", "InstanceCreation"):
        assert (derived[f"{event}Date"].value, derived[f"{event}Time"].value) == (date, time)
    assert derived.StudyDate == source.StudyDate


# --- pixels, grey scale, loss ---------------------------------------------------------------------------------------


def test_the_stored_values_are_the_given_ones() -> None:
    source = small()
    stored = read_source(source).stored[::-1]
    assert np.array_equal(reread(derive(source, stored, PROVENANCE, POLICY, NOW)).pixel_array, stored)


def test_a_cr_without_a_window_gets_one_that_its_pixels_fill() -> None:
    source = small(RadiographKind.CR, remove=("WindowCenter", "WindowWidth"))
    derived = derived_from(source, 0.0)
    shown = read_source(derived)
    assert shown.notes == ()
    assert np.allclose(shown.display, read_source(source).display, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("relationship", ["LIN", "LOG"])
def test_the_window_that_is_handed_on_is_of_the_source_and_not_of_what_was_derived(
    kind: RadiographKind, relationship: str
) -> None:
    source = small(kind, PixelIntensityRelationship=relationship, remove=("WindowCenter", "WindowWidth"))
    image = read_source(source, check_polarity=False)
    changed = write_back(image, 0.4 * SMALL)
    derived = derive(source, changed, PROVENANCE, POLICY, NOW, image=image)
    assert derived == derive(source, changed, PROVENANCE, POLICY, NOW)  # read again it is the same
    shown = read_source(derived, check_polarity=False)
    assert "NO_VOI" not in shown.notes
    on_screen = shown.mapping.to_display(image.stored).clip(0.0, 1.0)
    assert np.allclose(on_screen, image.display.clip(0.0, 1.0), atol=2e-4)


@pytest.mark.parametrize("kind", [RadiographKind.CR, RadiographKind.DX_FOR_PROCESSING])
def test_the_window_it_gets_is_the_one_the_model_saw_whatever_lies_outside_the_collimator(kind: RadiographKind) -> None:
    pixels = np.full((90, 80), 1.0, np.float32)
    pixels[10:70, 20:70] = 0.2 + 0.3 * SMALL
    source = radiograph(kind, pixels=pixels, remove=("WindowCenter", "WindowWidth"))
    source.CollimatorShape = "RECTANGULAR"
    source.CollimatorLeftVerticalEdge, source.CollimatorRightVerticalEdge = 20, 71
    source.CollimatorUpperHorizontalEdge, source.CollimatorLowerHorizontalEdge = 10, 71
    shown = read_source(derived_from(source, 0.0), check_polarity=False)
    assert np.allclose(shown.display, read_source(source, check_polarity=False).display, atol=1e-4)


def test_a_window_of_width_zero_is_replaced() -> None:
    derived = derived_from(small(WindowWidth=0))
    assert derived.WindowWidth > 1000


def test_the_rescale_of_a_cr_is_kept_and_that_of_a_dx_is_identity() -> None:
    cr = derived_from(small(RadiographKind.CR, RescaleSlope="0.5", RescaleIntercept="-10", RescaleType="US"))
    assert (cr.RescaleSlope, cr.RescaleIntercept) == (0.5, -10)
    dx = derived_from(small(remove=("RescaleSlope", "RescaleIntercept", "RescaleType")))
    assert (dx.RescaleSlope, dx.RescaleIntercept, dx.RescaleType) == (1, 0, "US")


def test_signed_cr_pixels_stay_signed(tmp_path: Path) -> None:
    values = np.rint(SMALL * 4095).astype(int) - 2048
    source = small_radiograph(values, bits_stored=12, signed=True, WindowCenter=0, WindowWidth=4096)
    derived = derived_from(source, 0.0)
    assert derived.PixelRepresentation == 1
    assert np.array_equal(reread(derived).pixel_array, values)
    assert dciodvfy_errors(derived, tmp_path) == []


def test_a_dx_that_lacks_type_1_attributes_is_completed_where_that_is_truthful(tmp_path: Path) -> None:
    lacking = ("ImageLaterality", "BurnedInAnnotation", "PixelIntensityRelationship", "PixelIntensityRelationshipSign")
    source = small(remove=(*lacking, "LossyImageCompression", "DetectorType", "AnatomicRegionSequence", "PatientSex"))
    derived = derived_from(source)
    assert dciodvfy_errors(derived, tmp_path) == []
    assert derived.ImageLaterality == "U"


@pytest.mark.parametrize(
    ("remove", "overrides"),
    [
        (("BodyPartExamined", "ViewPosition", "PatientOrientation"), {}),
        ((), {"Laterality": ""}),
        ((), {"RescaleSlope": 2, "RescaleIntercept": -5}),
        ((), {"RescaleSlope": 2}),
    ],
    ids=["no anatomy", "an empty laterality", "no rescale type", "a slope alone"],
)
def test_a_cr_that_lacks_conditional_attributes_is_completed_where_that_is_truthful(
    remove: tuple[str, ...], overrides: dict[str, object], tmp_path: Path
) -> None:
    source = small(RadiographKind.CR, remove=remove, **overrides)
    derived = derived_from(source, 0.0)
    assert dciodvfy_errors(derived, tmp_path) == []
    assert derived.BodyPartExamined == "CHEST"
    shown = read_source(reread(derived), check_polarity=False)
    assert np.array_equal(shown.display, read_source(source, check_polarity=False).display)


@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.DX_FOR_PROCESSING])
@pytest.mark.parametrize("spacing", [None, "0\\0", "0.3"])
def test_a_pixel_spacing_is_never_invented_and_a_dx_without_one_becomes_a_secondary_capture(
    kind: RadiographKind, spacing: str | None, tmp_path: Path
) -> None:
    source = small(kind)
    del source.ImagerPixelSpacing
    if spacing is not None:
        source.ImagerPixelSpacing = spacing
    derived = derived_from(reread(source))
    assert derived.SOPClassUID == SecondaryCaptureImageStorage
    assert "ImagerPixelSpacing" not in derived or spacing is not None
    assert dciodvfy_errors(derived, tmp_path) == []
    assert dcentvfy_errors([source, derived], tmp_path) == []


def test_a_cr_needs_no_pixel_spacing() -> None:
    derived = derived_from(small(RadiographKind.CR, remove=("ImagerPixelSpacing",)))
    assert derived.SOPClassUID == SOP_CLASSES[RadiographKind.CR]


def test_loss_is_never_forgotten(tmp_path: Path) -> None:
    source = small(LossyImageCompression="01", LossyImageCompressionRatio="12")
    source.LossyImageCompressionMethod = "ISO_10918_1"
    derived = derived_from(source)
    assert (derived.LossyImageCompression, derived.LossyImageCompressionRatio) == ("01", 12)
    assert dciodvfy_errors(derived, tmp_path) == []


def test_loss_is_recognised_by_the_transfer_syntax_of_a_source_that_is_silent(tmp_path: Path) -> None:
    source = small(remove=("LossyImageCompression",))
    stored = read_source(source).stored
    source.file_meta.TransferSyntaxUID = JPEGLSNearLossless
    derived = derive(source, stored, PROVENANCE, POLICY, NOW)
    assert (derived.LossyImageCompression, derived.LossyImageCompressionMethod) == ("01", "ISO_14495_1")
    assert dciodvfy_errors(derived, tmp_path) == []


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [np.zeros((3, 3), int), np.full(SMALL.shape, 1 << 14)])
def test_pixels_that_do_not_fit_the_source_are_refused(stored: np.ndarray) -> None:
    with pytest.raises(DerivationError) as caught:
        derive(small(), stored, PROVENANCE, POLICY, NOW)
    assert caught.value.code == "PIXELS_DO_NOT_FIT"


def test_a_source_of_another_class_is_refused() -> None:
    with pytest.raises(DerivationError) as caught:
        derive(small(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), np.zeros(SMALL.shape, int), PROVENANCE, POLICY, NOW)
    assert caught.value.code == "SOURCE_CLASS_NOT_SUPPORTED"


def test_our_own_output_is_turned_away_by_the_gate() -> None:
    derived = reread(derived_from(radiograph()))
    verdict = judge(derived, EligibilityPolicy())
    assert not isinstance(verdict, Eligible)
    assert verdict.code == "OWN_OUTPUT"
    derived.ImageType = ["DERIVED", "PRIMARY", ""]
    del derived.InstanceCreatorUID
    derived.ManufacturerModelName = "renamed"
    again = judge(derived, EligibilityPolicy())
    assert not isinstance(again, Eligible)
    assert again.code == "OWN_OUTPUT"


def test_the_source_is_left_as_it_was() -> None:
    source = reread(small())
    before = source.to_json()
    derived_from(source)
    assert source.to_json() == before


def test_deeply_nested_sequences_are_cut_off() -> None:
    nested = Dataset()
    for _ in range(300):
        outer = Dataset()
        outer.ViewModifierCodeSequence = Sequence([nested])
        nested = outer
    derived = derived_from(small(RequestAttributesSequence=Sequence([nested])))
    assert len(written(derived)) > 0


odd_text = st.one_of(
    st.text(max_size=70),
    st.sampled_from(["", "\\", "CHEST\\PA", "\x00", "é", "9" * 30, "1e999", "nan", "-1", "20241301", "+9999", "1\\x"]),
)

TEXT_AND_NUMBERS = [
    one
    for one in COPIED
    if DicomDictionary[keyword_dict[one]][0] not in ("SQ", "OW") and one not in ("Rows", "Columns")
]


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(TEXT_AND_NUMBERS),
        odd_text,
        max_size=8,
    ),
    st.sampled_from(KINDS),
    st.sampled_from([None, "ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 87", "nonsense"]),
)
def test_no_header_that_the_gate_accepts_makes_derive_raise(
    values: dict[str, str], kind: RadiographKind, character_set: str | None
) -> None:
    source = small(kind)
    if character_set is not None:
        source.SpecificCharacterSet = character_set
    for keyword, value in values.items():
        vr = DicomDictionary[keyword_dict[keyword]][0]
        if vr in ("US", "SS", "US or SS", "UL", "FD", "FL", "SL"):
            source[Tag(keyword)] = DataElement(Tag(keyword), "US", crc32(value.encode("utf-8", "replace")) % 65536)
        else:
            source[Tag(keyword)] = raw(keyword, vr, value.encode("utf-8", "replace"))
    if not isinstance(judge(source, EligibilityPolicy(min_side=1)), Eligible):
        return
    stored = np.zeros(SMALL.shape, int)
    derived = derive(source, stored, PROVENANCE, POLICY, NOW)
    again = pydicom.dcmread(BytesIO(written(derived)))
    assert again.SOPInstanceUID == derived.SOPInstanceUID
