"""Rejection notes: valid, filed with what they take back, the same for the same recall."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from dicom_node.errors import DerivationError
from dicom_node.header_values import text
from dicom_node.radiograph import RadiographKind
from dicom_node.rejection_note import RejectedResult, Rejection, rejection_note
from tests.dicom_node.factories import reread
from tests.dicom_node.reports import CHARACTER_SETS, NOW, POLICY, source_of, written
from tests.dicom_node.test_report_validity import documents_of, unknown_complaints

RECALL = "0c7e6a52-3f3b-4a55-9d0d-2a9f5e1f7b10"


def rejected_of(*results: Dataset) -> list[RejectedResult]:
    return [
        RejectedResult(text(ds, "SOPClassUID"), text(ds, "SOPInstanceUID"), text(ds, "SeriesInstanceUID"), "Rows" in ds)
        for ds in results
    ]


def note_on(
    source: Dataset, *results: Dataset, rejection: Rejection = Rejection.PATIENT_SAFETY, recall: str = RECALL
) -> Dataset:
    return rejection_note(source, rejected_of(*results), rejection, recall, "Ribs left in place.", "0.1.0", POLICY, NOW)


@pytest.mark.parametrize("rejection", Rejection)
@pytest.mark.parametrize("character_set", CHARACTER_SETS)
@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.CR])
def test_a_note_is_valid_and_belongs_to_the_study_of_what_it_takes_back(
    kind: RadiographKind, character_set: str, rejection: Rejection, tmp_path: Path
) -> None:
    source = source_of(kind, character_set=character_set)
    soft_tissue, label, told, _ = documents_of(source)
    objects = (source, soft_tissue, label, told, note_on(source, soft_tissue, label, told, rejection=rejection))
    paths = []
    for index, ds in enumerate(objects):
        paths.append(tmp_path / f"{index}.dcm")
        paths[-1].write_bytes(written(ds))
    assert unknown_complaints("dciodvfy", "-new", str(paths[-1])) == []
    assert unknown_complaints("dcentvfy", *map(str, paths)) == []


@pytest.mark.parametrize(("rejection", "title"), [(Rejection.PATIENT_SAFETY, "113037"), (Rejection.QUALITY, "113001")])
def test_the_title_says_why_and_every_result_is_referred_to_twice(rejection: Rejection, title: str) -> None:
    source = source_of()
    soft_tissue, label, told, _ = documents_of(source)
    note = reread(note_on(source, soft_tissue, label, told, rejection=rejection))
    assert note.SOPClassUID == KeyObjectSelectionDocumentStorage
    assert note.ConceptNameCodeSequence[0].CodeValue == title
    wanted = {ds.SOPInstanceUID for ds in (soft_tissue, label, told)}
    (study,) = note.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == source.StudyInstanceUID
    in_evidence = {
        (series.SeriesInstanceUID, one.ReferencedSOPInstanceUID)
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert in_evidence == {(ds.SeriesInstanceUID, ds.SOPInstanceUID) for ds in (soft_tissue, label, told)}
    in_content = {
        (item.ValueType, item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for item in note.ContentSequence
        if item.ValueType in ("IMAGE", "COMPOSITE")
    }
    assert in_content == {
        ("IMAGE", soft_tissue.SOPInstanceUID),
        ("COMPOSITE", label.SOPInstanceUID),
        ("COMPOSITE", told.SOPInstanceUID),
    }
    assert {uid for _, uid in in_content} == wanted


def test_the_source_is_never_among_what_is_taken_back() -> None:
    source = source_of()
    soft_tissue = documents_of(source)[0]
    assert source.SOPInstanceUID.encode() not in written(note_on(source, soft_tissue))


def test_the_same_recall_gives_the_same_note_in_any_order_and_another_recall_another() -> None:
    source = source_of()
    soft_tissue, label, _, _ = documents_of(source)
    once = note_on(source, soft_tissue, label)
    assert written(note_on(source, label, soft_tissue, label)) == written(once)
    assert note_on(source, soft_tissue).SOPInstanceUID != once.SOPInstanceUID
    assert note_on(source, soft_tissue, label, recall="another").SOPInstanceUID != once.SOPInstanceUID
    other_title = note_on(source, soft_tissue, label, rejection=Rejection.QUALITY)
    assert other_title.SOPInstanceUID != once.SOPInstanceUID


def test_the_header_of_a_result_serves_as_well_as_that_of_its_source() -> None:
    source = source_of()
    soft_tissue = documents_of(source)[0]
    by_source, by_result = note_on(source, soft_tissue), note_on(soft_tissue, soft_tissue)
    assert by_source.SOPInstanceUID == by_result.SOPInstanceUID
    assert by_source.PatientID == by_result.PatientID


def test_a_note_on_nothing_or_on_no_study_is_refused() -> None:
    source = source_of()
    with pytest.raises(DerivationError) as nothing:
        note_on(source)
    assert nothing.value.code == "NOTHING_REJECTED"
    soft_tissue = documents_of(source)[0]
    del source.StudyInstanceUID
    with pytest.raises(DerivationError) as nowhere:
        note_on(source, soft_tissue)
    assert nowhere.value.code == "IDENTIFIER_MISSING"


def test_times_are_written_in_the_zone_of_the_source() -> None:
    source = source_of(TimezoneOffsetFromUTC="-0330")
    note = note_on(source, documents_of(source)[0])
    assert (note.ContentDate, note.ContentTime) == ("20260304", "090015.250000")
    assert (note.InstanceCreationDate, note.InstanceCreationTime) == ("20260304", "090015.250000")
