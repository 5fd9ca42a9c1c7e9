"""The reader's side of a reader study: what comes next, its pictures, and what was found.

Nothing here tells the model, the job, the sender or another reader's marks.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response

from service.api.dependencies import PartsOfApp, ReadSession, now
from service.api.problems import ProblemError, problems
from service.api.reader_study_problems import answered, reader_name
from service.api.reader_study_schemas import FindingsWanted, FinishedReading, NextReading, OwnStudies, OwnStudy
from service.api.v1.reader_studies import NOT_KEPT, StudyId
from service.database import transaction
from service.reader_study.findings import Mark, Region
from service.reader_study.order import Reading
from service.registry import queries, reader_studies, readings

router = APIRouter(tags=["reader studies"])
ReadingId = Annotated[int, Path(ge=1, lt=2**53, description="As `POST …/next` gave it.")]
Picture = Annotated[Literal["original", "soft-tissue"], Path(description="original, or soft-tissue.")]


@router.get("/my-reader-studies", summary="The studies that I read", responses=problems(403, 500, 503))
def own_studies(request: Request, session: ReadSession) -> OwnStudies:
    """The reader studies in which I am a reader, with how far I am."""
    reader = reader_name(request)
    rows = reader_studies.list_studies(session, reader=reader)
    return OwnStudies(
        items=[
            OwnStudy(
                id=row.id,
                name=row.plan.name,
                instructions=row.plan.instructions,
                finding_types=list(row.plan.finding_types),
                washout_days=row.plan.washout_days,
                finished=dict(row.progress)[reader],
                readings=row.readings_each,
                closed_at=row.closed_at,
            )
            for row in rows
        ]
    )


@router.post("/reader-studies/{study_id}/next", summary="What to read now", responses=problems(403, 404, 422, 500, 503))
def read_next(request: Request, parts: PartsOfApp, study_id: StudyId) -> NextReading:
    """My next reading of the study; the same one until it is finished. Its time begins with the first call."""
    with transaction(parts.sessions) as session, answered():
        found = readings.next_reading(session, study_id, reader_name(request), now=now())
    if isinstance(found, readings.Washout):
        return NextReading(state="WASHOUT", opens_at=found.opens_at)
    if isinstance(found, readings.AllRead):
        return NextReading(state="CLOSED" if found.closed else "DONE")
    return NextReading(
        state="READ",
        reading_id=found.reading_id,
        number=found.number,
        session=found.session,
        shows=found.reading,
        rows=found.rows,
        columns=found.columns,
        row_mm=found.spacing.row_mm,
        column_mm=found.spacing.column_mm,
    )


@router.get(
    "/readings/{reading_id}/pictures/{picture}.png",
    summary="A picture of the case",
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(403, 404, 409, 410, 422, 500, 503),
    },
)
def read_picture(
    request: Request, parts: PartsOfApp, session: ReadSession, reading_id: ReadingId, picture: Picture
) -> Response:
    """The original of my open reading, and its soft-tissue image where the reading shows one; 8 bits."""
    with answered():
        files = readings.files_of_reading(session, reading_id, reader_name(request))
    if picture == "soft-tissue" and files.reading is Reading.ORIGINAL:
        raise ProblemError(403, "READ_ALONE", "this reading shows the original alone")
    job = queries.job_detail(session, files.job_id)
    if job is None:
        raise ProblemError(404, "JOB_UNKNOWN", "the job of this case is not known any more")
    path = job.preview_source_path if picture == "original" else job.preview_soft_path
    if path is None or job.previews_removed_at is not None:
        raise ProblemError(410, "PREVIEW_REMOVED", "the picture is not there any more; finish the case as unreadable")
    if job.soft_tissue is None or job.soft_tissue.sha256 != files.result_sha256:
        raise ProblemError(409, "CASE_CHANGED", "the result was computed again since; finish the case as unreadable")
    return Response(parts.store.read(path, PurePosixPath(path).stem), media_type="image/png", headers=NOT_KEPT)


@router.post(
    "/readings/{reading_id}/finish",
    summary="Finish a reading",
    responses=problems(403, 404, 422, 500, 503),
)
def finish(request: Request, parts: PartsOfApp, reading_id: ReadingId, wanted: FindingsWanted) -> FinishedReading:
    """Writes what I found; it cannot be changed afterwards."""
    marks = [
        Mark(Region(mark.column, mark.row, mark.width, mark.height), mark.type, mark.confidence)
        for mark in wanted.marks
    ]
    with transaction(parts.sessions) as session, answered():
        readings.finish_reading(
            session,
            reading_id,
            reader_name(request),
            marks,
            active_ms=wanted.active_ms,
            unreadable=wanted.unreadable,
            now=now(),
        )
    return FinishedReading(reading_id=reading_id)
