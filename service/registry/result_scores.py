"""How readers scored results by the three criteria (`service.reader_study.criteria`). The caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.reader_study.criteria import Scores
from service.registry.reader_errors import ReaderStudyError
from service.registry.reader_tables import ResultScores
from service.registry.result_kinds import ResultKind
from service.registry.tables import Instance, Job, Result


@dataclass(frozen=True)
class ScoreRow:
    """One row as it was written; `sop_instance_uid` is the original's."""

    job_id: str
    sop_instance_uid: str
    result_sha256: str
    model_name: str
    model_sha256: str
    reader: str
    scores: Scores
    scored_at: datetime


@dataclass(frozen=True)
class ScoredResult:
    """What there is to score of a job: its soft-tissue image and the model that made it."""

    result_sha256: str
    model_name: str
    model_sha256: str


def record_scores(session: Session, job_id: str, reader: str, scores: Scores, *, now: datetime) -> None:
    """Write the scores of the job's present result. Raises ReaderStudyError when there is no result."""
    found = scored_result(session, job_id)
    session.add(
        ResultScores(
            job_id=job_id,
            result_sha256=found.result_sha256,
            model_name=found.model_name,
            model_sha256=found.model_sha256,
            reader=reader,
            lung_vessels=scores.lung_vessels,
            airways=scores.airways,
            bone_suppression=scores.bone_suppression,
            scored_at=now,
        )
    )
    session.flush()


def scored_result(session: Session, job_id: str) -> ScoredResult:
    """The job's present soft-tissue image. Raises ReaderStudyError RESULT_MISSING."""
    query = (
        select(Result.sha256, Job.model_name, Job.model_sha256)
        .join(Job, Job.id == Result.job_id)
        .where(Job.id == job_id, Result.kind == ResultKind.SOFT_TISSUE, Result.replaces_id.is_(None))
        .order_by(Result.id)
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise ReaderStudyError("RESULT_MISSING", "expected a soft-tissue image of this job, found none")
    return ScoredResult(found.sha256, found.model_name or "", found.model_sha256 or "")


def scores_of(session: Session, job_id: str, reader: str) -> ScoreRow | None:
    """What `reader` last gave the job's present result; None: nothing yet, or another result."""
    rows = all_scores(session, job_id=job_id, reader=reader)
    present = scored_result(session, job_id).result_sha256 if rows else ""
    return rows[-1] if rows and rows[-1].result_sha256 == present else None


def all_scores(session: Session, *, job_id: str | None = None, reader: str | None = None) -> list[ScoreRow]:
    """Every row, oldest first."""
    query = (
        select(ResultScores, Instance.sop_instance_uid)
        .join(Job, Job.id == ResultScores.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .order_by(ResultScores.id)
    )
    if job_id is not None:
        query = query.where(ResultScores.job_id == job_id)
    if reader is not None:
        query = query.where(ResultScores.reader == reader)
    return [_row(row, uid) for row, uid in session.execute(query)]


def _row(row: ResultScores, sop_instance_uid: str) -> ScoreRow:
    return ScoreRow(
        row.job_id,
        sop_instance_uid,
        row.result_sha256,
        row.model_name,
        row.model_sha256,
        row.reader,
        Scores(row.lung_vessels, row.airways, row.bone_suppression),
        row.scored_at,
    )
