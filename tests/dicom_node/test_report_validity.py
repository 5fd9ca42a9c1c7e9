"""The three documents over the matrix of what sources may be: valid, filed with their image, the same every time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from dicom_node.algorithm_report import report
from dicom_node.derived_attributes import COPIED
from dicom_node.errors import DicomNodeError
from dicom_node.presentation_state import label_as_ai
from dicom_node.radiograph import RadiographKind
from dicom_node.refusal_notice import refusal_notice
from tests.dicom_node.factories import reread
from tests.dicom_node.reports import (
    CHARACTER_SETS,
    NOW,
    POLICY,
    PROVENANCE,
    QUALITY,
    fresh_source,
    raw,
    soft_tissue_of,
    source_of,
    written,
)
from tests.dicom_validation import complaints

# What the validators say of objects that are right: private schemes are unknown to dciodvfy, whose list of Contributing
# Equipment lags PS3.3, and dcentvfy files Accession Number under Series for images and under Study for reports.
KNOWN = (
    "Unrecognized defined term = <99SOFTRAY>",
    "DeviceUID(0018,1002)> - Attribute is not present",
    "AccessionNumber",
)


def documents_of(source: Dataset, now: datetime = NOW) -> tuple[Dataset, Dataset, Dataset, Dataset]:
    """The soft-tissue image, its label, its report, and a notice on the source."""
    soft_tissue = soft_tissue_of(source)
    label = label_as_ai(soft_tissue, PROVENANCE, POLICY, now)
    told = report(source, soft_tissue, [label], QUALITY, PROVENANCE, POLICY, now)
    notice = refusal_notice(source, "BODY_PART_UNKNOWN", "The body part is not stated.", "0.1.0", POLICY, now)
    return soft_tissue, label, told, notice


def unknown_complaints(tool: str, *arguments: str) -> list[str]:
    return [line for line in complaints(tool, *arguments) if not any(one in line for one in KNOWN)]


@pytest.mark.parametrize("voi", ["window", "lut", "SIGMOID"])
@pytest.mark.parametrize("monochrome1", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("character_set", CHARACTER_SETS)
@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.CR])
def test_the_documents_are_valid_and_belong_to_the_study_of_their_source(
    kind: RadiographKind, character_set: str, monochrome1: bool, voi: str, tmp_path: Path
) -> None:
    source = source_of(kind, character_set=character_set, monochrome1=monochrome1, voi=voi)
    as_sent = written(source)
    paths = []
    for index, ds in enumerate((source, *documents_of(source))):
        paths.append(tmp_path / f"{index}.dcm")
        paths[-1].write_bytes(written(ds))
    assert paths[0].read_bytes() == as_sent
    for path in paths[2:]:
        assert unknown_complaints("dciodvfy", "-new", str(path)) == []
    assert unknown_complaints("dcentvfy", *map(str, paths)) == []


def test_two_images_of_one_series_share_the_series_of_each_document(tmp_path: Path) -> None:
    first = source_of()
    second = source_of(SOPInstanceUID="1.2.3.4.5.6", InstanceNumber=2)
    second.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5.6"
    paths = []
    for index, ds in enumerate((first, *documents_of(first), second, *documents_of(second, NOW + timedelta(days=1)))):
        paths.append(tmp_path / f"{index}.dcm")
        paths[-1].write_bytes(written(ds))
    # The second image is made later than the first: what is the series' own must not tell.
    assert unknown_complaints("dcentvfy", *map(str, paths)) == []
    for one, other in zip(documents_of(first)[1:], documents_of(second)[1:], strict=True):
        assert one.SeriesInstanceUID == other.SeriesInstanceUID
        assert one.SOPInstanceUID != other.SOPInstanceUID


def test_the_same_source_and_provenance_give_the_same_bytes() -> None:
    once = [written(ds) for ds in documents_of(source_of(character_set="ISO_IR 192"))]
    again = [written(ds) for ds in documents_of(source_of(character_set="ISO_IR 192"))]
    assert once == again


@pytest.mark.parametrize("character_set", CHARACTER_SETS)
def test_patient_and_study_are_carried_over_byte_for_byte(character_set: str) -> None:
    source = source_of(character_set=character_set)
    name = source.get_item("PatientName").value
    for document in map(reread, documents_of(source)):
        assert document.get_item("PatientName").value == name
        assert document.get("SpecificCharacterSet") == source.get("SpecificCharacterSet")
        for keyword in (
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "StudyDate",
            "AccessionNumber",
        ):
            assert document[keyword].value == source[keyword].value


def test_bytes_that_no_character_set_has_are_carried_over_as_they_are() -> None:
    source = source_of()
    source["PatientName"] = raw("PatientName", "PN", b"broken^\xff\xfe\x80\x81")
    source["StudyDescription"] = raw("StudyDescription", "LO", b"\x80\x99\xff ")
    for document in map(reread, documents_of(source)):
        assert document.get_item("PatientName").value == b"broken^\xff\xfe\x80\x81 "
        assert document.get_item("StudyDescription").value == b"\x80\x99\xff "


def test_all_that_is_added_is_ascii() -> None:
    policy = type(POLICY)(manufacturer="Größe\\Ω", device_serial_number="№1")
    source = source_of(character_set="ISO 2022 IR 87")
    soft_tissue = soft_tissue_of(source, policy)
    for document in (
        label_as_ai(soft_tissue, PROVENANCE, policy, NOW),
        report(source, soft_tissue, [], QUALITY, PROVENANCE, policy, NOW),
        refusal_notice(source, "NOT_CHEST", "Größe «2»\r\n\x00", "0.1", policy, NOW),
    ):
        for element in document.iterall():
            if element.VR in ("LO", "LT", "SH", "ST", "UT", "UC") and element.keyword not in ("PatientID", "StudyID"):
                assert str(element.value).isascii(), element.keyword


def test_each_kind_has_its_own_series_behind_that_of_the_images() -> None:
    soft_tissue, label, told, notice = documents_of(source_of(SeriesNumber=3))
    assert [ds.SeriesNumber for ds in (soft_tissue, label, told, notice)] == [9003, 12003, 13003, 14003]
    assert len({ds.SeriesInstanceUID for ds in (soft_tissue, label, told, notice)}) == 4
    assert [ds.Modality for ds in (label, told, notice)] == ["PR", "SR", "SR"]


def test_times_are_written_in_the_zone_of_the_source() -> None:
    for document in documents_of(source_of(TimezoneOffsetFromUTC="-0330"))[1:]:
        assert (document.InstanceCreationDate, document.InstanceCreationTime) == ("20260304", "090015.250000")


odd = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"\\", b"1e9", b"-1", b"nan", b"0\\0", b"99999999999", b"20241301", b"+9900", b"1\\2\\3"]),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([one for one in COPIED if dictionary_VR(one) not in ("SQ", "OW", "US", "SS", "US or SS")]),
        odd,
        max_size=8,
    ),
    st.sampled_from([RadiographKind.DX, RadiographKind.CR]),
)
def test_whatever_was_derived_can_be_labelled_and_reported(values: dict[str, bytes], kind: RadiographKind) -> None:
    source = fresh_source(kind)
    for keyword, value in values.items():
        source[keyword] = raw(keyword, dictionary_VR(keyword), value)
    try:
        soft_tissue = soft_tissue_of(source)
    except DicomNodeError:
        return  # not derived, so there is nothing to label
    label = label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW)
    told = report(source, soft_tissue, [label], QUALITY, PROVENANCE, POLICY, NOW)
    assert reread(label).Modality == "PR"
    assert reread(told).Modality == "SR"


def test_the_gate_knows_each_of_them_as_ours() -> None:
    for document in documents_of(source_of())[1:]:
        assert document.InstanceCreatorUID == soft_tissue_of(source_of()).InstanceCreatorUID
