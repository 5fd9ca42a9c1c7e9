from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from dicom_node.codes import PROCESSING_EQUIPMENT, SUBTRACTION, Code
from dicom_node.eligibility import (
    EligibilityPolicy,
    Eligible,
    FrontalView,
    Ineligible,
    ReasonCode,
    Unknown,
    ask_every_rule,
    judge,
)
from dicom_node.errors import PixelErrorCode
from dicom_node.radiograph import RadiographKind
from dicom_node.uids import CREATOR_UID, device_uid
from tests.dicom_node.factories import radiograph, reread

POLICY = EligibilityPolicy()
STRICT = EligibilityPolicy(unknown=Unknown.REFUSE)
LATERAL = Code("399067008", "SCT", "lateral")
DX = RadiographKind.DX
NO_VIEW = ("ViewCodeSequence", "ViewPosition", "PatientOrientation", "SeriesDescription")
NO_PART = ("BodyPartExamined", "AnatomicRegionSequence", "SeriesDescription")
NO_AGE = ("PatientAge", "PatientBirthDate")


def header(*, remove: tuple[str, ...] = (), **overrides: object) -> Dataset:
    return radiograph(remove=(*remove, "PixelData"), **overrides)


def code_of(ds: Dataset, policy: EligibilityPolicy = POLICY) -> str | None:
    verdict = judge(ds, policy)
    return str(verdict.code) if isinstance(verdict, Ineligible) else None


def open_questions_of(ds: Dataset, policy: EligibilityPolicy = POLICY) -> set[str]:
    verdict = judge(ds, policy)
    assert isinstance(verdict, Eligible), verdict
    return {str(code) for code in verdict.open_questions}


def notes_of(ds: Dataset) -> tuple[str, ...]:
    verdict = judge(ds, POLICY)
    assert isinstance(verdict, Eligible), verdict
    return verdict.notes


@pytest.mark.parametrize("kind", list(RadiographKind))
@pytest.mark.parametrize("monochrome1", [False, True])
def test_an_adults_frontal_chest_radiograph_is_eligible(kind: RadiographKind, monochrome1: bool) -> None:
    assert "VIEW_PA" in notes_of(reread(radiograph(kind, monochrome1=monochrome1)))


ROWS: list[tuple[str, dict[str, object], str]] = [
    ("secondary capture", {"SOPClassUID": SecondaryCaptureImageStorage}, "SECONDARY_CAPTURE"),
    ("multi-frame secondary capture", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3"}, "SECONDARY_CAPTURE"),
    ("mammography", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.2"}, "SOP_CLASS_NOT_ACCEPTED"),
    ("another product's result", {"SeriesDescription": "Chest PA bone suppressed"}, "ALREADY_PROCESSED"),
    (
        "another product's result by its derivation",
        {"DerivationDescription": "Rib suppression by software"},
        "ALREADY_PROCESSED",
    ),
    ("a subtraction", {"DerivationCodeSequence": SUBTRACTION.sequence()}, "ALREADY_PROCESSED"),
    ("another modality", {"Modality": "CT"}, "MODALITY_NOT_ACCEPTED"),
    ("scanned film", {"ConversionType": "DF"}, "SECONDARY_CAPTURE"),
    ("a secondary image", {"ImageType": ["DERIVED", "SECONDARY", ""]}, "SECONDARY_IMAGE"),
    ("a soft-tissue image", {"ImageType": ["DERIVED", "PRIMARY", "", "SOFT"]}, "DUAL_ENERGY"),
    ("a bone series", {"SeriesDescription": "Chest PA Bone"}, "DUAL_ENERGY"),
    ("dual energy by name", {"SeriesDescription": "CHEST Dual-Energy"}, "DUAL_ENERGY"),
    ("a stitched image", {"ImageType": ["DERIVED", "PRIMARY", "", "STITCHED"]}, "LOCALIZER_OR_STITCHED"),
    ("a quality control image", {"QualityControlImage": "YES"}, "QUALITY_CONTROL_IMAGE"),
    ("an animal by breed", {"PatientBreedDescription": "Beagle"}, "VETERINARY"),
    ("an animal by protocol", {"AcquisitionDeviceProcessingDescription": "CANINE THORAX"}, "VETERINARY"),
    ("multi-frame", {"NumberOfFrames": 2}, "MULTI_FRAME"),
    ("RGB", {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "NOT_GRAYSCALE"),
    ("8 bit", {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "BIT_DEPTH_NOT_SUPPORTED"),
    ("a small matrix", {"Rows": 999}, "MATRIX_TOO_SMALL"),
    ("65535 × 65535", {"Rows": 65535, "Columns": 65535}, "MATRIX_TOO_LARGE"),
    ("a hip", {"BodyPartExamined": "HIP"}, "NOT_CHEST"),
    ("a babygram", {"BodyPartExamined": "CHESTABDOMEN"}, "NOT_CHEST"),
    ("chest and abdomen", {"BodyPartExamined": "CHEST_ABDOMEN"}, "NOT_CHEST"),
    ("ribs by code", {"AnatomicRegionSequence": Code("113197003", "SCT", "Rib").sequence()}, "NOT_CHEST"),
    ("a phantom", {"AnatomicRegionSequence": Code("706342009", "SCT", "Phantom").sequence()}, "NOT_CHEST"),
    ("ribs by series", {"SeriesDescription": "RIBS AP"}, "NOT_CHEST"),
    ("lateral by code", {"ViewCodeSequence": LATERAL.sequence()}, "VIEW_NOT_FRONTAL"),
    ("upside down", {"PatientOrientation": ["L", "H"]}, "NOT_UPRIGHT"),
    ("lying in the matrix", {"PatientOrientation": ["F", "L"]}, "NOT_UPRIGHT"),
    ("a child", {"PatientAge": "017Y"}, "BELOW_MINIMUM_AGE"),
    ("a baby", {"PatientAge": "008M"}, "BELOW_MINIMUM_AGE"),
    ("no study UID", {"StudyInstanceUID": ""}, "IDENTIFIER_MISSING"),
]


@pytest.mark.parametrize(("overrides", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_not_ours_is_turned_away_with_its_reason(overrides: dict[str, object], code: str) -> None:
    assert code_of(header(**overrides)) == code


@pytest.mark.parametrize("position", ["LL", "RL", "RLD", "LLD", "RLO", "LLO"])
def test_every_other_view_position_is_turned_away(position: str) -> None:
    assert code_of(header(remove=("ViewCodeSequence",), ViewPosition=position)) == "VIEW_NOT_FRONTAL"


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsStored", "HighBit", "SamplesPerPixel"])
def test_a_missing_pixel_attribute_is_turned_away(keyword: str) -> None:
    assert code_of(header(remove=(keyword,))) == PixelErrorCode.ATTRIBUTE_MISSING


# --- for processing, loop guard -------------------------------------------------------------------------------------


def test_for_processing_is_accepted_only_where_the_site_wants_it() -> None:
    ds = radiograph(RadiographKind.DX_FOR_PROCESSING)
    assert "FOR_PROCESSING" in notes_of(ds)
    assert code_of(ds, EligibilityPolicy(accept_for_processing=False)) == "FOR_PROCESSING_NOT_ACCEPTED"


def test_our_own_output_is_recognised_by_its_image_type() -> None:
    assert code_of(header(ImageType=["DERIVED", "PRIMARY", "", "BONE_SUPPRESSED", "AI"])) == "OWN_OUTPUT"


def test_our_own_output_is_recognised_by_its_creator() -> None:
    assert code_of(header(InstanceCreatorUID=CREATOR_UID)) == "OWN_OUTPUT"


def test_our_own_output_is_recognised_by_its_contributing_equipment() -> None:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = PROCESSING_EQUIPMENT.sequence()
    item.Manufacturer, item.ManufacturerModelName = "renamed", "renamed"
    item.DeviceUID = device_uid("ab" * 32)
    ds = header(ContributingEquipmentSequence=Sequence([item]))
    assert code_of(ds) is None
    known = EligibilityPolicy(own_device_uids=frozenset({device_uid("ab" * 32)}))
    assert code_of(ds, known) == "OWN_OUTPUT"
    item.ManufacturerModelName = "softray"
    assert code_of(ds) == "OWN_OUTPUT"


def test_an_image_that_came_by_a_digital_interface_is_no_secondary_capture() -> None:
    assert code_of(header(ConversionType="DI")) is None


def test_a_derived_primary_image_is_accepted_as_many_consoles_send_their_originals_so() -> None:
    assert code_of(header(ImageType=["DERIVED", "PRIMARY", ""])) is None


# --- body part ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part", ["CHEST", "THORAX", "LUNG", "chest ", "CHEST_PA", "PORT CHEST", "LUNGS", "CXR", "TORAX", "BRUST"]
)
def test_every_name_of_the_chest_is_accepted(part: str) -> None:
    assert code_of(header(BodyPartExamined=part)) is None


@pytest.mark.parametrize("part", ["THORACIC", "THORACIC SPINE", "TSPINE", "CHEST ABD", "THORAX_RIBS", "LUNG PHANTOM"])
def test_a_part_that_only_sounds_like_the_chest_is_turned_away(part: str) -> None:
    assert code_of(header(BodyPartExamined=part)) == "NOT_CHEST"


@pytest.mark.parametrize("code", ["816094009", "51185008", "T-D3000", "39607008", "T-28000"])
def test_the_region_code_speaks_when_body_part_examined_is_silent(code: str) -> None:
    region = Code(code, "SCT", "x").sequence()
    assert code_of(header(remove=("BodyPartExamined",), AnatomicRegionSequence=region)) is None
    elsewhere = Code("69536005", "SCT", "Head").sequence()
    assert code_of(header(remove=("BodyPartExamined",), AnatomicRegionSequence=elsewhere)) == "NOT_CHEST"


@pytest.mark.parametrize(
    ("keyword", "words", "code"),
    [
        ("SeriesDescription", "W033 Thorax p.a.", None),
        ("StudyDescription", "Radiographie des poumons", None),
        ("ProtocolName", "Chest, PA & Lat", None),
        ("StudyDescription", "Rx torace", None),
        ("StudyDescription", "Thoracic spine 2 views", "BODY_PART_UNKNOWN"),
        ("SeriesDescription", "KNEE AP", "NOT_CHEST"),
        ("StudyDescription", "", "BODY_PART_UNKNOWN"),
    ],
)
def test_descriptions_speak_when_the_codes_are_silent(keyword: str, words: str, code: str | None) -> None:
    ds = header(remove=NO_PART)
    setattr(ds, keyword, words)
    assert code_of(ds, STRICT) == code


def test_a_procedure_code_meaning_is_a_description() -> None:
    ds = header(remove=NO_PART, ProcedureCodeSequence=Code("1", "99X", "XR Chest 1 view").sequence())
    assert "CHEST_BY_DESCRIPTION" in notes_of(ds)


# --- view -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["272479007", "R-10214", "R-40888", "399348003", "R-10206", "399033003", "R-10202"])
def test_every_frontal_view_code_is_accepted(code: str) -> None:
    assert code_of(header(ViewCodeSequence=Code(code, "SCT", "x").sequence())) is None


@pytest.mark.parametrize(("scheme", "code"), [("99ACME", None), ("L", None), ("99SDM", "VIEW_NOT_FRONTAL")])
def test_a_sites_own_view_code_leaves_the_view_to_view_position(scheme: str, code: str | None) -> None:
    ds = header(ViewCodeSequence=Code("V1", scheme, "x").sequence())
    assert code_of(ds) == code
    ds.ViewPosition = "LL"
    assert code_of(ds) == "VIEW_NOT_FRONTAL"


def test_view_code_goes_before_view_position_and_the_contradiction_is_noted() -> None:
    assert "VIEW_CONTRADICTED" in notes_of(header(ViewPosition="LL"))


def test_view_position_goes_before_patient_orientation() -> None:
    ds = header(remove=("ViewCodeSequence",), ViewPosition="LL", PatientOrientation=["L", "F"])
    assert code_of(ds) == "VIEW_NOT_FRONTAL"


@pytest.mark.parametrize(
    ("rows", "code"), [("L", None), ("R", None), ("A", "VIEW_NOT_FRONTAL"), ("P", "VIEW_NOT_FRONTAL")]
)
def test_patient_orientation_speaks_when_the_view_is_not_told(rows: str, code: str | None) -> None:
    assert code_of(header(remove=NO_VIEW[:2], PatientOrientation=[rows, "F"])) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Thorax p.a.", None),
        ("CHEST_AP_PORTABLE", None),
        ("Chest lateral", "VIEW_NOT_FRONTAL"),
        ("Chest decubitus", "VIEW_NOT_FRONTAL"),
        ("Chest PA/LAT", "VIEW_UNKNOWN"),
        ("Chest", "VIEW_UNKNOWN"),
    ],
)
def test_the_series_description_speaks_last_and_an_unknown_view_is_not_guessed(words: str, code: str | None) -> None:
    assert code_of(header(remove=NO_VIEW, SeriesDescription=words), STRICT) == code


@pytest.mark.parametrize("code", ["260450008", "102536004"])
def test_lordotic_and_decubitus_positions_are_turned_away(code: str) -> None:
    modifier = Code(code, "SCT", "x").item()
    ds = header()
    ds.ViewCodeSequence[0].ViewModifierCodeSequence = Sequence([modifier])
    assert code_of(ds) == "VIEW_NOT_FRONTAL"


def test_a_mirrored_image_passes_and_is_noted() -> None:
    assert "MIRRORED" in notes_of(header(PatientOrientation=["R", "F"]))


# --- what the header leaves to the image ----------------------------------------------------------------------------


def test_a_body_part_and_a_view_that_are_not_told_are_left_to_the_image() -> None:
    assert open_questions_of(header()) == set()
    assert open_questions_of(header(remove=NO_PART)) == {"BODY_PART_UNKNOWN"}
    assert open_questions_of(header(remove=NO_VIEW)) == {"VIEW_UNKNOWN"}
    silent = header(remove=(*NO_PART, *NO_VIEW))
    assert open_questions_of(silent) == {"BODY_PART_UNKNOWN", "VIEW_UNKNOWN"}
    assert code_of(silent, STRICT) == "BODY_PART_UNKNOWN"


def test_views_that_contradict_each_other_are_left_to_the_image() -> None:
    contradicted = header(ViewPosition="LL")
    assert open_questions_of(contradicted) == {"VIEW_CONTRADICTED"}
    assert open_questions_of(contradicted, STRICT) == set()


def test_what_the_header_denies_is_never_left_to_the_image() -> None:
    assert code_of(header(remove=NO_VIEW, BodyPartExamined="HIP")) == "NOT_CHEST"
    assert code_of(header(remove=NO_PART, ViewCodeSequence=LATERAL.sequence())) == "VIEW_NOT_FRONTAL"


# --- what a site decides --------------------------------------------------------------------------------------------


def test_a_site_may_leave_out_a_view() -> None:
    ap = header(remove=("ViewCodeSequence",), ViewPosition="AP")
    only_pa = EligibilityPolicy(views=frozenset({FrontalView.PA, FrontalView.PORTABLE}))
    assert code_of(ap, only_pa) == "VIEW_NOT_ACCEPTED"
    assert code_of(header(), only_pa) is None


def test_a_site_may_leave_out_portables() -> None:
    portable = header(StudyDescription="Chest AP portable")
    assert "PORTABLE" in notes_of(portable)
    no_portables = EligibilityPolicy(views=frozenset({FrontalView.PA, FrontalView.AP}))
    assert code_of(portable, no_portables) == "VIEW_NOT_ACCEPTED"
    assert code_of(header(), no_portables) is None


def test_a_site_may_leave_out_a_sop_class_or_a_modality() -> None:
    only_dx = EligibilityPolicy(sop_classes=frozenset({"DX"}))
    assert code_of(radiograph(RadiographKind.CR), only_dx) == "SOP_CLASS_NOT_ACCEPTED"
    assert code_of(header(), only_dx) is None
    assert code_of(header(), EligibilityPolicy(modalities=frozenset({"CR"}))) == "MODALITY_NOT_ACCEPTED"


def test_a_site_may_set_an_upper_age() -> None:
    up_to = EligibilityPolicy(max_age_years=80)
    assert code_of(header(PatientAge="081Y"), up_to) == "ABOVE_MAXIMUM_AGE"
    assert code_of(header(PatientAge="080Y"), up_to) is None
    assert code_of(header(PatientAge="012Y"), EligibilityPolicy(min_age_years=0, max_age_years=80)) is None


def test_a_sites_own_words_name_the_chest() -> None:
    ds = header(remove=NO_PART, StudyDescription="Bryst front")
    assert open_questions_of(ds) == {"BODY_PART_UNKNOWN"}
    assert open_questions_of(ds, EligibilityPolicy(chest_words=frozenset({"bryst"}))) == set()


# --- explanations ---------------------------------------------------------------------------------------------------


def test_every_rule_is_asked_and_says_by_what_it_answers() -> None:
    asked = ask_every_rule(header(BodyPartExamined="HIP"), POLICY)
    assert [one.question for one in asked if one.refuses] == ["body part"]
    assert all(one.evidence.detail for one in asked)
    assert len(asked) == 12


# --- age ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "born", "code"),
    [
        ("018Y", "", None),
        ("", "20060517", None),
        ("", "20060518", "BELOW_MINIMUM_AGE"),
        ("020Y", "20200101", None),
        ("", "18000101", None),
        ("", "99999999", None),
        ("81", "", None),
        ("000Y", "19800101", None),
        ("000Y", "", "BELOW_MINIMUM_AGE"),
        ("000D", "20260101", "BELOW_MINIMUM_AGE"),
    ],
)
def test_age_goes_before_dates_and_an_adults_field_stands_in_for_both(age: str, born: str, code: str | None) -> None:
    assert code_of(header(PatientAge=age, PatientBirthDate=born)) == code


def test_an_unknown_age_with_a_childs_field_is_turned_away() -> None:
    small = header(remove=NO_AGE, ImagerPixelSpacing=["0.14", "0.14"])
    assert code_of(small) == "AGE_UNKNOWN"
    assert code_of(small, EligibilityPolicy(min_age_years=0)) is None


@pytest.mark.parametrize(("rows", "code"), [(1499, "AGE_UNKNOWN"), (1500, None)])
def test_without_a_pixel_spacing_the_matrix_tells_the_field(rows: int, code: str | None) -> None:
    ds = header(remove=(*NO_AGE, "ImagerPixelSpacing"), Rows=rows, Columns=2000)
    assert code_of(ds) == code


# --- real objects, privacy, robustness ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "codes"),
    [
        ("RG2_*", {"NOT_CHEST", "SECONDARY_IMAGE"}),
        ("RG3_*", {"NOT_CHEST", "SECONDARY_IMAGE"}),
        ("rogue_dog*", {"VETERINARY"}),
        ("nih_*", {"SECONDARY_CAPTURE"}),
    ],
)
def test_real_objects_that_are_no_chest_radiographs_are_turned_away(
    shared: Path, pattern: str, codes: set[str]
) -> None:
    paths = sorted((shared / "data" / "dicom").glob(pattern))
    assert paths
    for path in paths:
        assert code_of(pydicom.dcmread(path)) in codes


@pytest.mark.parametrize(
    "keyword", ["BodyPartExamined", "ViewPosition", "Modality", "ConversionType", "PhotometricInterpretation"]
)
def test_a_reason_never_quotes_free_text(keyword: str) -> None:
    ds = header(remove=("ViewCodeSequence",))
    ds.add_new(keyword, "LO", "Mrs. Secret, born 1.2.1970")
    verdict = judge(ds, POLICY)
    assert isinstance(verdict, Ineligible)
    assert "secret" not in verdict.detail.lower()


def test_judging_changes_nothing() -> None:
    ds = reread(radiograph())
    before = ds.to_json()
    judge(ds, POLICY)
    assert ds.to_json() == before


def test_judging_leaves_every_text_as_the_bytes_that_came() -> None:
    ds = reread(radiograph(StudyDescription="Chest", SpecificCharacterSet="ISO_IR 100"))
    judge(ds, POLICY)
    assert isinstance(ds.get_item("StudyDescription"), RawDataElement)
    assert isinstance(ds.get_item("SeriesDescription"), RawDataElement)


def test_an_empty_dataset_is_turned_away() -> None:
    assert code_of(Dataset()) == ReasonCode.IDENTIFIER_MISSING


def test_a_deeply_nested_sequence_does_no_harm() -> None:
    ds = header()
    nested = Dataset()
    for _ in range(2000):
        outer = Dataset()
        outer.ViewModifierCodeSequence = Sequence([nested])
        nested = outer
    ds.ViewCodeSequence = Sequence([nested])
    assert isinstance(judge(ds, POLICY), Eligible | Ineligible)


GATE_KEYWORDS = """
SOPClassUID StudyInstanceUID SeriesInstanceUID SOPInstanceUID ImageType InstanceCreatorUID Modality
ConversionType ContributingEquipmentSequence DeviceUID QualityControlImage PatientSpeciesCodeSequence
PatientBreedDescription Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation SamplesPerPixel
PhotometricInterpretation NumberOfFrames BodyPartExamined AnatomicRegionSequence SeriesDescription
StudyDescription ProtocolName ProcedureCodeSequence RequestAttributesSequence ViewCodeSequence ViewPosition
PatientOrientation PatientAge PatientBirthDate StudyDate ImagerPixelSpacing PixelSpacing LossyImageCompression
SpecificCharacterSet
""".split()  # noqa: SIM905 - forty lines of one word each say no more
garbage = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.integers(),
    st.floats(),
    st.lists(st.text(max_size=8), max_size=4),
    st.just(Sequence([Dataset()])),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(GATE_KEYWORDS), garbage, max_size=6), st.sampled_from(list(RadiographKind)))
def test_no_header_whatever_makes_the_gate_raise(values: dict[str, object], kind: RadiographKind) -> None:
    ds = radiograph(kind, pixels=np.zeros((4, 4)), remove=("PixelData",), Rows=1200, Columns=1100)
    for keyword, value in values.items():
        element = DataElement(keyword_dict[keyword], "UN", b"")
        element._value = value
        element.VR = DicomDictionary[keyword_dict[keyword]][0]
        ds._dict[element.tag] = element
    verdict = judge(ds, POLICY)
    assert isinstance(verdict, Eligible) or (verdict.code and verdict.detail)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_that_parse_as_a_dataset_make_the_gate_raise(junk: bytes) -> None:
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import read_dataset

    try:
        ds = read_dataset(DicomBytesIO(junk), False, True)
    except Exception:
        return
    assert isinstance(judge(ds, POLICY), Ineligible)
