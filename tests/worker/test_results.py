"""Everything that a site may want of one image, in one job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import JPEGLSLossless

from dicom_node.pixels import read_source
from dicom_node.radiograph import wrap_radiograph
from dicom_node.triple import check_triple
from service.registry.result_kinds import ResultKind
from service.routing import ResultsSection
from tests.dicom_validation import assert_valid, errors
from tests.radiographs import phantom
from tests.worker.conftest import ConstantSuppressor, DirectHost, queue_job
from tests.worker.test_deliver import detail
from worker.context import WorkerContext
from worker.infer import infer

EVERYTHING = ResultsSection(bone=True, spread=True, presentation_state=True, report=True, compression="jpeg-ls")


@pytest.fixture(scope="module")
def source() -> Dataset:
    return wrap_radiograph(phantom(1024).radiograph)


def objects(context: WorkerContext, source: Dataset, section: ResultsSection) -> dict[ResultKind, Dataset]:
    wanting = replace(context, results=section)
    job_id = queue_job(wanting, source)
    assert infer(job_id, wanting, DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    return {made.kind: dcmread(context.store.resolve(made.path)) for made in detail(context, job_id).results}


def test_a_site_gets_what_it_wants_and_all_of_it_is_valid(
    context: WorkerContext, source: Dataset, tmp_path: Path
) -> None:
    made = objects(context, source, EVERYTHING)
    # One pass, one seed: there is nothing to draw a spread from.
    assert set(made) == set(ResultKind) - {ResultKind.REFUSAL_NOTICE, ResultKind.RETRACTION, ResultKind.SPREAD}
    assert len({str(one.SeriesInstanceUID) for one in made.values()}) == len(made)
    assert {str(one.StudyInstanceUID) for one in made.values()} == {str(source.StudyInstanceUID)}
    assert len({int(one.SeriesNumber) for one in made.values()}) == len(made)
    original = tmp_path / "source.dcm"
    dcmwrite(original, source, enforce_file_format=True)
    paths = [str(original)]
    for one in made.values():
        assert one.filename is not None
        paths.append(str(one.filename))
        assert_valid(Path(one.filename))
    # dcentvfy files Accession Number under Series for images and under Study for reports: a warning, no error.
    assert errors("dcentvfy", *paths) == []


def test_original_minus_soft_tissue_is_the_bone_also_when_compressed(context: WorkerContext, source: Dataset) -> None:
    made = objects(context, source, EVERYTHING)
    soft, bone = made[ResultKind.SOFT_TISSUE], made[ResultKind.BONE]
    assert soft.file_meta.TransferSyntaxUID == bone.file_meta.TransferSyntaxUID == JPEGLSLossless
    check_triple(read_source(source).stored, soft, bone)


def test_by_default_there_is_the_soft_tissue_alone(context: WorkerContext, source: Dataset) -> None:
    assert set(objects(context, source, ResultsSection())) == {ResultKind.SOFT_TISSUE}
