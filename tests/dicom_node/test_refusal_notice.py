from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicom_node.eligibility import ReasonCode
from dicom_node.errors import DerivationError, ImageRefusal, PixelErrorCode
from dicom_node.radiograph import RadiographKind
from dicom_node.refusal_notice import refusal_notice
from dicom_node.report_reasons import reason_code
from tests.dicom_node.factories import dciodvfy_errors, reread
from tests.dicom_node.reports import NOW, POLICY, fresh_source, raw, soft_tissue_of, source_of, written
from tests.dicom_node.test_algorithm_report import under

SENTENCE = "Not processed: expected a frontal view, found LL."


def notice_of(source: Dataset, reason: str = "VIEW_NOT_FRONTAL", sentence: str = SENTENCE) -> Dataset:
    return reread(refusal_notice(source, reason, sentence, "0.1.0", POLICY, NOW))


def test_it_says_that_there_is_no_companion_and_why() -> None:
    notice = notice_of(source_of())
    assert notice.ConceptNameCodeSequence[0].CodeMeaning == "Bone suppressed companion image not made"
    assert notice.SeriesDescription == "AI bone suppression: no companion image"
    (made,) = under(notice, "Qualitative Evaluations", "Bone suppressed companion image")
    assert made.ConceptCodeSequence[0].CodeMeaning == "Not made"
    (reason,) = under(notice, "Qualitative Evaluations", "Reason for no companion image")
    code = reason.ConceptCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("VIEW_NOT_FRONTAL", "99SOFTRAY")
    assert code.CodeMeaning == "Not a frontal view"
    (comment,) = under(notice, "Qualitative Evaluations", "Comment")
    assert comment.TextValue == SENTENCE
    assert (notice.CompletionFlag, notice.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_it_refers_to_the_image_that_was_refused() -> None:
    source = source_of()
    notice = notice_of(source)
    (library,) = under(notice, "Image Library", "Image Library Group")
    (image,) = library.ContentSequence
    for references in (
        image.ReferencedSOPSequence,
        notice.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence,
    ):
        assert references[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert references[0].ReferencedSOPClassUID == source.SOPClassUID


def test_a_reason_longer_than_a_code_value_is_a_long_code_value() -> None:
    notice = notice_of(source_of(), "BODY_PART_UNKNOWN")
    (reason,) = under(notice, "Qualitative Evaluations", "Reason for no companion image")
    assert reason.ConceptCodeSequence[0].LongCodeValue == "BODY_PART_UNKNOWN"
    assert "CodeValue" not in reason.ConceptCodeSequence[0]


@pytest.mark.parametrize("reason", [*ReasonCode, *PixelErrorCode, *ImageRefusal, "SOME_LATER_REASON", "X" * 64])
def test_every_reason_has_a_meaning_that_a_reader_understands(reason: str) -> None:
    meaning = reason_code(reason).meaning
    assert meaning.isascii()
    assert "_" not in meaning
    assert 0 < len(meaning) <= 64


@pytest.mark.parametrize("reason", ImageRefusal)
def test_what_the_picture_is_refused_for_is_said_in_words_of_its_own(reason: ImageRefusal) -> None:
    assert reason_code(reason).meaning.upper().replace(" ", "_") != reason


@pytest.mark.parametrize("reason", ["", "not chest", "NOT-CHEST", "1ST", "X" * 65, "NOT_CHEST\n"])
def test_what_is_no_reason_is_refused(reason: str) -> None:
    with pytest.raises(DerivationError) as caught:
        notice_of(source_of(), reason)
    assert caught.value.code == "REASON_INVALID"


def test_without_a_sentence_the_meaning_stands_for_it_and_control_characters_are_dropped() -> None:
    (comment,) = under(notice_of(source_of(), "NOT_CHEST", " \n"), "Qualitative Evaluations", "Comment")
    assert comment.TextValue == "Not a chest radiograph."
    (comment,) = under(notice_of(source_of(), sentence="a\r\nb\x00c é\\"), "Qualitative Evaluations", "Comment")
    assert comment.TextValue == "a  b c ?/"


def test_one_source_and_one_reason_give_one_notice_and_another_reason_another() -> None:
    source = source_of()
    assert written(notice_of(source)) == written(notice_of(source))
    assert notice_of(source).SOPInstanceUID != notice_of(source, "NOT_CHEST").SOPInstanceUID
    assert notice_of(source).SeriesInstanceUID == notice_of(source, "NOT_CHEST").SeriesInstanceUID


def test_our_own_objects_never_get_a_notice() -> None:
    for source, reason in ((soft_tissue_of(source_of()), "NOT_CHEST"), (source_of(), "OWN_OUTPUT")):
        with pytest.raises(DerivationError) as caught:
            notice_of(source, reason)
        assert caught.value.code == "OWN_OUTPUT"
    with pytest.raises(DerivationError) as caught:
        notice_of(notice_of(source_of()))
    assert caught.value.code == "OWN_OUTPUT"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
@pytest.mark.parametrize("value", [None, "", "1.2.x", "12", "1." + "2" * 63, "1..2", "../etc"])
def test_a_source_that_cannot_be_referred_to_is_refused(keyword: str, value: str | None) -> None:
    source = source_of()
    del source[keyword]
    if value is not None:
        source[Tag(keyword)] = raw(keyword, "UI", value.encode())
    with pytest.raises(DerivationError) as caught:
        notice_of(source)
    assert caught.value.code == "IDENTIFIER_MISSING"
    assert "Test" not in str(caught.value)


def test_a_source_without_a_patient_still_gets_a_valid_notice(tmp_path: Path) -> None:
    source = source_of()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"):
        del source[keyword]
    for keyword in ("AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber", "Modality", "Rows"):
        del source[keyword]
    notice = notice_of(source)
    assert dciodvfy_errors(notice, tmp_path) == []
    assert (notice.PatientName, notice.SeriesNumber, notice.InstanceNumber) == ("", 14000, 1)


def test_an_object_that_shows_no_picture_is_a_composite(tmp_path: Path) -> None:
    source = source_of()
    del source.Rows, source.Columns, source.PixelData
    source.SOPClassUID, source.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"  # Encapsulated PDF
    notice = notice_of(source, "SOP_CLASS_NOT_ACCEPTED")
    assert under(notice, "Image Library") == []
    (reference,) = [
        item for item in under(notice, "Qualitative Evaluations")[0].ContentSequence if "COMPOSITE" in item.ValueType
    ]
    assert reference.ReferencedSOPSequence[0].ReferencedSOPClassUID == source.SOPClassUID
    assert dciodvfy_errors(notice, tmp_path) == []


def test_a_class_that_nobody_knows_is_referred_to_as_it_is() -> None:
    notice = notice_of(source_of(SOPClassUID="1.3.6.1.4.1.99999.1"), "SOP_CLASS_NOT_ACCEPTED")
    (library,) = under(notice, "Image Library", "Image Library Group")
    assert library.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPClassUID == "1.3.6.1.4.1.99999.1"


def test_pixels_are_not_asked_for() -> None:
    header = pydicom.dcmread(BytesIO(written(source_of())), stop_before_pixels=True)
    assert written(notice_of(header)) == written(notice_of(source_of()))


@pytest.mark.interop
def test_dcmtk_reads_it_as_a_report_without_a_complaint(tmp_path: Path) -> None:
    if shutil.which("dsrdump") is None:
        pytest.skip("DCMTK (dsrdump) is not installed")
    path = tmp_path / "notice.dcm"
    path.write_bytes(written(notice_of(source_of())))
    shown = subprocess.run(["dsrdump", "+Pl", str(path)], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stderr == ""
    assert f'TEXT:(,,"Comment")="{SENTENCE}"' in shown.stdout
    assert '(VIEW_NOT_FRONTAL,99SOFTRAY,"Not a frontal view")' in shown.stdout


# --- bad input ------------------------------------------------------------------------------------------------------

VRS = {
    "SpecificCharacterSet": "CS",
    "PatientName": "PN",
    "PatientID": "LO",
    "PatientBirthDate": "DA",
    "PatientAge": "AS",
    "PatientSize": "DS",
    "StudyDescription": "LO",
    "StudyTime": "TM",
    "AccessionNumber": "SH",
    "SeriesNumber": "IS",
    "InstanceNumber": "IS",
    "Modality": "CS",
    "Rows": "US",
    "TimezoneOffsetFromUTC": "SH",
    "InstanceCreatorUID": "UI",
    "OtherPatientIDsSequence": "SQ",
    "RequestAttributesSequence": "SQ",
    "ProcedureCodeSequence": "SQ",
    "CodingSchemeIdentificationSequence": "SQ",
    "ContributingEquipmentSequence": "SQ",
    # a value of another kind than the attribute has
    "ReferringPhysicianName": "SQ",
    "StudyID": "OB",
}
odd_bytes = st.one_of(
    st.binary(max_size=70),
    st.sampled_from(
        [
            b"",
            b"\\",
            b"1.2.3",
            b"ISO_IR 192",
            b"\\ISO 2022 IR 87",
            b"\x1b$B;3",
            b"99999999999",
            b"nan",
            b"-0560",
            b"+9999",
        ]
    ),
    st.text(max_size=30).map(lambda one: one.encode("utf-8", "replace")),
)


identifiers = st.sampled_from(["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(VRS)), odd_bytes, max_size=10),
    st.sets(st.sampled_from(sorted(VRS)), max_size=8),
    st.one_of(st.none(), st.none(), st.tuples(identifiers, odd_bytes)),
    st.sampled_from(list(RadiographKind)),
    st.one_of(st.sampled_from(sorted(ReasonCode)), st.sampled_from(sorted(PixelErrorCode)), st.text(max_size=20)),
    st.text(max_size=60),
)
def test_any_header_ends_in_a_notice_that_can_be_written_or_in_a_coded_refusal(
    values: dict[str, bytes],
    removed: set[str],
    broken: tuple[str, bytes] | None,
    kind: RadiographKind,
    reason: str,
    sentence: str,
) -> None:
    source = fresh_source(kind)
    for keyword, value in values.items():
        source[Tag(keyword)] = raw(keyword, VRS[keyword], value)
    for keyword in removed:
        if keyword in source:
            del source[keyword]
    if broken is not None:
        source[Tag(broken[0])] = raw(broken[0], "UI", broken[1])
    with contextlib.suppress(DerivationError):
        notice = refusal_notice(source, reason, sentence, "0.1.0", POLICY, NOW)
        assert pydicom.dcmread(BytesIO(written(notice))).SOPInstanceUID == notice.SOPInstanceUID
        return
    usable = (
        re.fullmatch(r"[A-Z][A-Z0-9_]*", reason, re.ASCII) and broken is None and "InstanceCreatorUID" not in values
    )
    assert not usable or reason == ReasonCode.OWN_OUTPUT


def test_nesting_without_an_end_is_cut_off() -> None:
    nested = Dataset()
    for _ in range(300):
        outer = Dataset()
        outer.ProcedureCodeSequence = Sequence([nested])
        nested = outer
    source = source_of()
    source.ProcedureCodeSequence = Sequence([nested])
    assert len(written(notice_of(source))) > 0
