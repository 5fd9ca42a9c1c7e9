from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from dicom_node.algorithm_report import report
from dicom_node.derived import DerivedPolicy
from dicom_node.derived_images import DerivedImage, derive_images
from dicom_node.pixels import read_source, write_back
from dicom_node.presentation_state import label_as_ai
from dicom_node.quality_figures import QualityFigures
from dicom_node.refusal_notice import refusal_notice
from tests.dicom_node.factories import dcentvfy_errors, reread
from tests.dicom_node.reports import NOW, POLICY, PROVENANCE, QUALITY, soft_tissue_of, source_of, written


def report_of(
    source: Dataset, others: tuple[Dataset, ...] = (), quality: QualityFigures = QUALITY, **policy: object
) -> Dataset:
    made = DerivedPolicy(**policy)  # type: ignore[arg-type]
    return reread(report(source, soft_tissue_of(source, made), others, quality, PROVENANCE, made, NOW))


def set_of(source: Dataset) -> tuple[DerivedImage, ...]:
    """Soft tissue, bone and spread as the pipeline makes them."""
    image = read_source(source, check_polarity=False)
    stored = write_back(image, np.full(image.stored.shape, 0.05, np.float32))
    spread = np.full(image.stored.shape, 0.01, np.float32)
    wanted = frozenset({"SOFT_TISSUE", "BONE", "SPREAD"})
    return derive_images(source, image, stored, spread, PROVENANCE, POLICY, wanted, "none", NOW)


def read_by_highdicom(document: Dataset) -> hd.sr.MeasurementReport:
    content = hd.sr.ComprehensiveSR.from_dataset(document).content
    assert isinstance(content, hd.sr.MeasurementReport)
    return content


def group_of(document: Dataset) -> hd.sr.MeasurementsAndQualitativeEvaluations:
    (group,) = read_by_highdicom(document).get_image_measurement_groups()
    return group


def under(document: Dataset, *meanings: str) -> list[Dataset]:
    """The content items on this path of concept meanings."""
    found = [document]
    for meaning in meanings:
        found = [
            child
            for item in found
            for child in item.get("ContentSequence", [])
            if child.get("ConceptNameCodeSequence") and child.ConceptNameCodeSequence[0].CodeMeaning == meaning
        ]
    return found


def test_highdicom_reads_the_figures_with_their_units_and_the_images_they_are_of() -> None:
    source = source_of()
    figures = group_of(report_of(source)).get_measurements()
    told = {figure.name.meaning: (figure.value, figure.unit.value, figure.unit.scheme_designator) for figure in figures}
    assert told == {
        "Share of the image that changed": (31.23, "%", "UCUM"),
        "Mean change, of the display range": (0.9123, "%", "UCUM"),
        "Largest change, of the display range": (18.7, "%", "UCUM"),
        "Largest change outside the patient, of the display range": (0.0, "%", "UCUM"),
        "Correlation of fine structure with the original": (0.9877, "1", "UCUM"),
        "Mean standard deviation over seeds, of the display range": (0.4, "%", "UCUM"),
    }
    for figure in figures:
        uids = {image.referenced_sop_instance_uid for image in figure.referenced_images}
        assert uids == {soft_tissue_of(source).SOPInstanceUID, source.SOPInstanceUID}


def test_a_figure_that_was_not_measured_is_left_out() -> None:
    figures = group_of(report_of(source_of(), quality=QualityFigures(1.0, 2.0, 3.0))).get_measurements()
    assert len(figures) == 3


def test_the_algorithm_is_identified_with_all_that_replays_it() -> None:
    group = under(report_of(source_of()), "Imaging Measurements", "Measurement Group")[0]
    said = [
        (item.ConceptNameCodeSequence[0].CodeValue, item.TextValue)
        for item in group.ContentSequence
        if item.ValueType == "TEXT" and item.RelationshipType == "HAS CONCEPT MOD"
    ]
    assert said[:2] == [("111001", "bs-ldm-lite"), ("111003", "1.2")]
    parameters = [value for code, value in said if code == "111002"]
    assert parameters == [
        f"weights SHA-256={'ab' * 32}",
        "architecture=bs-ldm",
        "sampler=dpm-solver++(2m)",
        "steps=15",
        "seed=7",
        "seeds=4",
        "precision=float32",
        "device=cpu",
        "softray=0.1.0",
    ]


def test_the_observer_is_the_device_that_the_model_is() -> None:
    (context,) = read_by_highdicom(report_of(source_of())).get_observer_contexts()
    assert context.observer_type == codes.DCM.Device
    attributes = context.observer_identifying_attributes
    assert attributes.uid == PROVENANCE.device_uid()
    assert (attributes.name, attributes.manufacturer_name) == ("bs-ldm-lite", "softray")


def test_the_library_names_the_part_of_every_image() -> None:
    source = source_of()
    soft_tissue, bone, spread = (made.dataset for made in set_of(source))
    label = label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW)
    document = reread(report(source, soft_tissue, [bone, spread, label], QUALITY, PROVENANCE, POLICY, NOW))
    (library,) = under(document, "Image Library", "Image Library Group")
    roles = {
        image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID: under(image, "Role of the image")[0]
        .ConceptCodeSequence[0]
        .CodeMeaning
        for image in library.ContentSequence
    }
    assert roles == {
        source.SOPInstanceUID: "Original radiograph",
        soft_tissue.SOPInstanceUID: "Soft tissue image, ribs and clavicles suppressed",
        bone.SOPInstanceUID: "Bone image, what was taken away",
        spread.SOPInstanceUID: "Map of the spread over seeds",
    }
    evidence = {
        instance.ReferencedSOPInstanceUID
        for study in document.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert evidence == {*roles, label.SOPInstanceUID}
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == source.StudyInstanceUID
    assert len(study.ReferencedSeriesSequence) == 5


def test_the_whole_set_has_series_and_series_numbers_of_its_own(tmp_path: Path) -> None:
    source = source_of(SeriesNumber=2)
    soft_tissue, bone, spread = (made.dataset for made in set_of(source))
    label = label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW)
    told = report(source, soft_tissue, [bone, spread, label], QUALITY, PROVENANCE, POLICY, NOW)
    notice = refusal_notice(source, "NOT_CHEST", "", "0.1.0", POLICY, NOW)
    everything = [soft_tissue, bone, spread, label, told, notice]
    assert [ds.SeriesNumber for ds in everything] == [9002, 10002, 11002, 12002, 13002, 14002]
    assert len({ds.SeriesInstanceUID for ds in everything}) == len({ds.SOPInstanceUID for ds in everything}) == 6
    assert dcentvfy_errors([source, *everything], tmp_path) == []


@pytest.mark.parametrize(
    ("qualification", "use"),
    [("RESEARCH", "Research only"), ("PRODUCT", "Clinical, together with the original")],
)
def test_it_says_what_the_companion_may_be_used_for(qualification: str, use: str) -> None:
    document = report_of(source_of(), content_qualification=qualification)
    (evaluation,) = under(document, "Qualitative Evaluations", "Use of the companion image")
    assert evaluation.ConceptCodeSequence[0].CodeMeaning == use
    (comment,) = under(document, "Qualitative Evaluations", "Comment")
    assert ("not for diagnosis" in comment.TextValue) == (qualification == "RESEARCH")
    assert ("RESEARCH" in document.SeriesDescription) == (qualification == "RESEARCH")


def test_it_is_complete_and_nobody_has_signed_it() -> None:
    document = report_of(source_of())
    assert (document.CompletionFlag, document.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert "VerifyingObserverSequence" not in document
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    schemes = [item.CodingSchemeDesignator for item in document.CodingSchemeIdentificationSequence]
    assert schemes == ["99SOFTRAY"]


def test_another_seed_or_run_has_another_report() -> None:
    source, soft_tissue = source_of(), soft_tissue_of(source_of())
    found = {
        report(
            source, soft_tissue, [], QUALITY, type(PROVENANCE)(**{**vars(PROVENANCE), **changed}), POLICY, NOW
        ).SOPInstanceUID
        for changed in ({}, {"seed": 8}, {"run": 1}, {"model_sha256": "cd" * 32})
    }
    assert len(found) == 4


def test_source_and_result_are_left_as_they_were() -> None:
    source, soft_tissue = source_of(character_set="ISO 2022 IR 87"), soft_tissue_of(source_of())
    before = written(source), written(soft_tissue)
    report(source, soft_tissue, [], QUALITY, PROVENANCE, POLICY, NOW)
    assert (written(source), written(soft_tissue)) == before


def test_a_figure_that_is_no_number_is_never_written_down() -> None:
    with pytest.raises(ValueError, match="finite"):
        QualityFigures(float("nan"), 0.0, 0.0)
    with pytest.raises(ValueError, match="mean_spread_percent"):
        QualityFigures(0.0, 0.0, 0.0, mean_spread_percent=float("inf"))


@pytest.mark.interop
def test_dcmtk_reads_it_as_a_report_without_a_complaint(tmp_path: Path) -> None:
    if shutil.which("dsrdump") is None:
        pytest.skip("DCMTK (dsrdump) is not installed")
    path = tmp_path / "report.dcm"
    path.write_bytes(written(report_of(source_of())))
    shown = subprocess.run(["dsrdump", "+Pl", str(path)], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stderr == ""
    for line in (
        "Comprehensive SR Document",
        'CONTAINER:(,,"Imaging Measurement Report")',
        'NUM:(,,"Mean change, of the display range")="0.9123" (%,UCUM,"Percent")',
        'TEXT:(,,"Algorithm Name")="bs-ldm-lite"',
        'Role of the image")=(IR010,99SOFTRAY,"Original radiograph")',
    ):
        assert line in shown.stdout
