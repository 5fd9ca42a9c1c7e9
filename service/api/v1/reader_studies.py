"""Reader studies for their administrator: make one, give its truth, close it, and what it has shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request, Response

from service.access.principals import Principal
from service.api.dependencies import PartsOfApp, ReadSession, now
from service.api.problems import ProblemError, problems
from service.api.reader_study_problems import answered
from service.api.reader_study_schemas import ReaderStudies, ReaderStudy, StudyWanted, TruthWanted
from service.api.schemas import Answer
from service.api.v1.scores import CSV_ANSWER
from service.database import transaction
from service.pixel_geometry import read_geometry
from service.reader_study.exported import marks_csv, report_csv
from service.reader_study.findings import Spacing
from service.reader_study.study_report import StudyReport
from service.reader_study.truth_list import read_truth_list
from service.registry import queries, reader_studies, result_scores
from service.registry.reading_results import study_readings, study_report

router = APIRouter(prefix="/reader-studies", tags=["reader studies"])
StudyId = Annotated[int, Path(ge=1, lt=2**53, description="The reader study's id.")]
NOT_KEPT = {"Cache-Control": "no-store"}


class Report(Answer):
    """What a study has shown."""

    report: StudyReport


@router.get("", summary="List reader studies", responses=problems(403, 500, 503))
def list_reader_studies(session: ReadSession) -> ReaderStudies:
    """All reader studies with their readers' progress, newest first."""
    return ReaderStudies(items=[ReaderStudy.of(row) for row in reader_studies.list_studies(session)])


@router.post("", summary="Make a reader study", status_code=201, responses=problems(403, 409, 422, 500, 503))
def create(request: Request, parts: PartsOfApp, wanted: StudyWanted) -> ReaderStudy:
    """Makes a blinded reading list of jobs with results; the very results of this moment are read."""
    cases = [_case(parts, job_id) for job_id in dict.fromkeys(wanted.job_ids)]
    plan = reader_studies.StudyPlan(
        name=wanted.name,
        instructions=wanted.instructions,
        finding_types=tuple(wanted.finding_types),
        readers=tuple(wanted.readers),
        seed=wanted.seed,
        washout_days=wanted.washout_days,
        tolerance_mm=wanted.tolerance_mm,
    )
    by = cast(Principal, request.state.principal).name
    with transaction(parts.sessions) as session, answered():
        study_id = reader_studies.create_study(session, plan, cases, by=by, now=now())
        return ReaderStudy.of(reader_studies.find_study(session, study_id))


@router.get("/{study_id}", summary="One reader study", responses=problems(403, 404, 422, 500, 503))
def read(session: ReadSession, study_id: StudyId) -> ReaderStudy:
    """One reader study with its readers' progress."""
    with answered():
        return ReaderStudy.of(reader_studies.find_study(session, study_id))


@router.put("/{study_id}/truth", summary="Set the truth list", responses=problems(403, 404, 422, 500, 503))
def set_truth(parts: PartsOfApp, study_id: StudyId, wanted: TruthWanted) -> ReaderStudy:
    """Replaces what is true of the cases; refused as a whole when anything in it is wrong."""
    with transaction(parts.sessions) as session, answered():
        reader_studies.set_truth(session, study_id, read_truth_list(wanted.text))
        return ReaderStudy.of(reader_studies.find_study(session, study_id))


@router.post("/{study_id}/close", summary="Close a reader study", responses=problems(403, 404, 422, 500, 503))
def close(parts: PartsOfApp, study_id: StudyId) -> ReaderStudy:
    """Nothing is read after this; what was read stays."""
    with transaction(parts.sessions) as session, answered():
        reader_studies.close_study(session, study_id, now=now())
        return ReaderStudy.of(reader_studies.find_study(session, study_id))


@router.get(
    "/{study_id}/report", summary="What a reader study has shown", responses=problems(403, 404, 409, 422, 500, 503)
)
def read_report(session: ReadSession, study_id: StudyId) -> Report:
    """Precision, recall and F1 of both readings with 95 % intervals, for all readers and each, and times."""
    with answered():
        return Report.model_validate({"report": asdict(study_report(session, study_id))})


@router.get(
    "/{study_id}/report.csv",
    summary="The same as CSV",
    response_class=Response,
    responses={**CSV_ANSWER, **problems(403, 404, 409, 422, 500, 503)},
)
def read_report_csv(session: ReadSession, study_id: StudyId) -> Response:
    """One figure a line."""
    with answered():
        return Response(report_csv(study_report(session, study_id)), media_type="text/csv", headers=NOT_KEPT)


@router.get(
    "/{study_id}/marks.csv",
    summary="Every mark as CSV",
    response_class=Response,
    responses={**CSV_ANSWER, **problems(403, 404, 422, 500, 503)},
)
def read_marks_csv(session: ReadSession, study_id: StudyId) -> Response:
    """One mark a line, and one for each reading without marks."""
    with answered():
        found = study_readings(session, study_id)
    return Response(marks_csv(found.cases, found.readings), media_type="text/csv", headers=NOT_KEPT)


def _case(parts: PartsOfApp, job_id: str) -> reader_studies.NewCase:
    with transaction(parts.sessions, read_only=True) as session, answered():
        job = queries.job_detail(session, job_id)
        if job is None:
            raise ProblemError(422, "JOB_UNKNOWN", "a case's job is not known; GET /api/v1/jobs lists them")
        result = result_scores.scored_result(session, job_id)
    with answered():
        geometry = read_geometry(parts.store.resolve(job.source_path))
    spacing = Spacing(geometry.row_mm, geometry.column_mm)
    return reader_studies.NewCase(job_id, result.result_sha256, geometry.rows, geometry.columns, spacing)
