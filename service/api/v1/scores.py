"""Scores of results by the criteria of the published clinical evaluations, and their report.

A reader sees their own scores only; the report is an administrator's.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api.dependencies import PartsOfApp, ReadSession, now
from service.api.problems import problems
from service.api.reader_study_problems import answered, reader_name
from service.api.schemas import Answer
from service.api.v1.job_orders import JobId
from service.api.v1.jobs import found_job
from service.database import transaction
from service.reader_study.criteria import HIGHEST, LOWEST, Criterion, Scores
from service.reader_study.exported import summary_csv
from service.reader_study.score_summary import CriterionSummary, GivenScores, summarise
from service.registry import result_scores

router = APIRouter(tags=["reader studies"])
CSV_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


class ScoresWanted(BaseModel):
    """The scores of one result; 3 is best. docs/reader-study.md has what each number means."""

    model_config = ConfigDict(extra="forbid")

    lung_vessels: int = Field(ge=LOWEST, le=HIGHEST, description="Lung-vessel visibility.", examples=[3])
    airways: int = Field(ge=LOWEST, le=HIGHEST, description="Airway visibility.", examples=[2])
    bone_suppression: int = Field(ge=LOWEST, le=HIGHEST, description="Degree of bone suppression.", examples=[3])


class OwnScores(Answer):
    """What I gave a result."""

    job_id: str
    lung_vessels: int
    airways: int
    bone_suppression: int
    scored_at: datetime


class NoScores(Answer):
    """I have not scored this result yet."""

    scored_at: Literal[None] = None


class ReaderMean(Answer):
    """The mean of one reader, or of all of them."""

    reader: str | None = Field(description="null: all readers.")
    count: int
    mean: float
    deviation: float | None = Field(description="Sample standard deviation, from two scores on.")


class Agreement(Answer):
    """Quadratically weighted kappa of two readers."""

    readers: list[str] = Field(description="The two.")
    cases: int = Field(description="Scored by both.")
    kappa: float | None = Field(description="null where chance alone would agree.")


class CriterionReport(Answer):
    """One criterion."""

    criterion: Criterion
    overall: ReaderMean
    by_reader: list[ReaderMean]
    alpha: float | None = Field(description="Krippendorff's, ordinal; null where all scores are the same.")
    pairs: list[Agreement]


class ModelReport(Answer):
    """The results of one model."""

    model_name: str
    model_sha256: str
    criteria: list[CriterionReport]


class ScoreReport(Answer):
    """All scores, by model."""

    models: list[ModelReport]


@router.put("/jobs/{job_id}/scores", summary="Score a result", responses=problems(403, 404, 422, 500, 503))
def score(request: Request, parts: PartsOfApp, job_id: JobId, wanted: ScoresWanted) -> OwnScores:
    """Writes my scores of the job's present result. Sent again, the later ones count and the earlier are kept."""
    reader, at = reader_name(request), now()
    scores = Scores(wanted.lung_vessels, wanted.airways, wanted.bone_suppression)
    with transaction(parts.sessions) as session, answered():
        found_job(session, job_id)
        result_scores.record_scores(session, job_id, reader, scores, now=at)
    return OwnScores(job_id=job_id, scored_at=at, **wanted.model_dump())


@router.get("/jobs/{job_id}/scores", summary="My scores of a result", responses=problems(403, 404, 422, 500, 503))
def own_scores(request: Request, session: ReadSession, job_id: JobId) -> OwnScores | NoScores:
    """What I last gave the job's present result; nobody sees another reader's here."""
    found_job(session, job_id)
    row = result_scores.scores_of(session, job_id, reader_name(request))
    if row is None:
        return NoScores()
    return OwnScores(job_id=job_id, scored_at=row.scored_at, **vars(row.scores))


@router.get("/scores", summary="Mean scores and agreement", responses=problems(403, 500, 503))
def score_report(session: ReadSession) -> ScoreReport:
    """Mean scores of each reader by criterion, and how far readers agree, for each model."""
    return ScoreReport(
        models=[
            ModelReport(
                model_name=name, model_sha256=digest, criteria=[CriterionReport.model_validate(row) for row in rows]
            )
            for name, digest, rows in summaries(session)
        ]
    )


@router.get(
    "/scores.csv",
    summary="Mean scores and agreement as CSV",
    response_class=Response,
    responses={**CSV_ANSWER, **problems(403, 500, 503)},
)
def score_report_csv(session: ReadSession) -> Response:
    """The same as CSV, a figure a line."""
    return Response(summary_csv(summaries(session)), media_type="text/csv", headers={"Cache-Control": "no-store"})


def summaries(session: Session) -> list[tuple[str, str, tuple[CriterionSummary, ...]]]:
    """Name, digest and summaries of every model that was scored, by name."""
    by_model: dict[tuple[str, str], list[GivenScores]] = defaultdict(list)
    for row in result_scores.all_scores(session):
        given = GivenScores(row.result_sha256, row.reader, row.scores)
        by_model[row.model_name, row.model_sha256].append(given)
    return [(name, digest, summarise(rows)) for (name, digest), rows in sorted(by_model.items())]
