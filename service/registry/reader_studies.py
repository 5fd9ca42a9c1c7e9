"""Blinded reading lists: make one, list them, set their truth, close one. The caller commits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.reader_study.findings import Spacing
from service.reader_study.order import Reading
from service.reader_study.truth_list import TruthList
from service.registry.reader_errors import ReaderStudyError
from service.registry.reader_tables import (
    CaseReading,
    ReaderStudy,
    ReaderStudyCase,
    ReaderStudyReader,
    ReaderStudyTruth,
)
from service.registry.tables import Instance, Job

MOST_CASES = 500
MOST_READERS = 50


@dataclass(frozen=True)
class StudyPlan:
    """What an administrator decides about a study; see `reader_tables.ReaderStudy`. `readers`: names of accounts."""

    name: str
    instructions: str
    finding_types: tuple[str, ...]
    readers: tuple[str, ...]
    seed: int
    washout_days: int
    tolerance_mm: float


@dataclass(frozen=True)
class NewCase:
    """A case to be read: the job and its present result, and the geometry of the original."""

    job_id: str
    result_sha256: str
    rows: int
    columns: int
    spacing: Spacing


@dataclass(frozen=True)
class StudyRow:
    """A study with how far it has come; `truth_known`: the truth list names all of its cases."""

    id: int
    plan: StudyPlan
    cases: int
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    truth_known: bool
    progress: tuple[tuple[str, int], ...]

    @property
    def readings_each(self) -> int:
        """How many readings each reader is to do."""
        return self.cases * len(Reading)


def create_study(session: Session, plan: StudyPlan, cases: Sequence[NewCase], *, by: str, now: datetime) -> int:
    """Write the study; its id. Raises ReaderStudyError for a name that is taken or lists that cannot be meant."""
    if session.scalar(select(ReaderStudy.id).where(ReaderStudy.name == plan.name)) is not None:
        raise ReaderStudyError("READER_STUDY_EXISTS", "there is a reader study of this name; choose another")
    _check(plan, cases)
    study = ReaderStudy(
        name=plan.name,
        instructions=plan.instructions,
        finding_types=json.dumps(plan.finding_types),
        seed=plan.seed,
        washout_days=plan.washout_days,
        tolerance_mm=plan.tolerance_mm,
        created_by=by,
        created_at=now,
    )
    session.add(study)
    session.flush()
    for number, reader in enumerate(plan.readers):
        session.add(ReaderStudyReader(reader_study_id=study.id, number=number, reader=reader))
    for number, case in enumerate(cases):
        session.add(
            ReaderStudyCase(
                reader_study_id=study.id,
                number=number,
                job_id=case.job_id,
                result_sha256=case.result_sha256,
                image_rows=case.rows,
                image_columns=case.columns,
                row_mm=case.spacing.row_mm,
                column_mm=case.spacing.column_mm,
                truth_known=False,
            )
        )
    session.flush()
    return study.id


def list_studies(session: Session, *, reader: str | None = None) -> list[StudyRow]:
    """All studies, or those that `reader` reads; the newest first."""
    query = select(ReaderStudy).order_by(ReaderStudy.id.desc())
    if reader is not None:
        query = query.join(ReaderStudyReader, ReaderStudyReader.reader_study_id == ReaderStudy.id).where(
            ReaderStudyReader.reader == reader
        )
    return [_row(session, study) for study in session.scalars(query)]


def find_study(session: Session, study_id: int) -> StudyRow:
    """The study. Raises ReaderStudyError READER_STUDY_UNKNOWN."""
    study = session.get(ReaderStudy, study_id)
    if study is None:
        raise ReaderStudyError("READER_STUDY_UNKNOWN", "there is no such reader study")
    return _row(session, study)


def close_study(session: Session, study_id: int, *, now: datetime) -> None:
    """Nothing is read after this; closing again changes nothing. Raises ReaderStudyError."""
    find_study(session, study_id)
    study = session.get_one(ReaderStudy, study_id)
    study.closed_at = study.closed_at or now
    session.flush()


def set_truth(session: Session, study_id: int, truth: TruthList) -> None:
    """Replace what is true of the study's cases; radiographs that are not in the study are passed over.

    Raises ReaderStudyError when a case is missing from the list, lies outside of its image, or has a finding of a type
    that the study's readers cannot mark.
    """
    study = find_study(session, study_id)
    cases = session.execute(
        select(ReaderStudyCase, Instance.sop_instance_uid)
        .join(Job, Job.id == ReaderStudyCase.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .where(ReaderStudyCase.reader_study_id == study_id)
    ).all()
    missing = sum(uid not in truth for _, uid in cases)
    if missing:
        raise ReaderStudyError(
            "TRUTH_LIST_INCOMPLETE",
            f"expected all {len(cases)} cases in the list, found {missing} missing; "
            "a radiograph without findings needs a line with its UID only",
        )
    for case, uid in cases:
        session.execute(delete(ReaderStudyTruth).where(ReaderStudyTruth.reader_study_case_id == case.id))
        for finding in truth[uid]:
            region = finding.region
            if finding.kind not in study.plan.finding_types:
                raise ReaderStudyError(
                    "FINDING_TYPE_UNKNOWN",
                    f"case {case.number + 1}: expected one of the study's finding types, found another",
                )
            if region.column + region.width > case.image_columns or region.row + region.height > case.image_rows:
                raise ReaderStudyError(
                    "FINDING_OUTSIDE_IMAGE",
                    f"case {case.number + 1}: expected a place within {case.image_columns} columns and "
                    f"{case.image_rows} rows, found one outside",
                )
            session.add(
                ReaderStudyTruth(
                    reader_study_case_id=case.id,
                    column_px=region.column,
                    row_px=region.row,
                    width_px=region.width,
                    height_px=region.height,
                    finding_type=finding.kind,
                )
            )
        case.truth_known = True
    session.flush()


def _check(plan: StudyPlan, cases: Sequence[NewCase]) -> None:
    if not 1 <= len(cases) <= MOST_CASES or len({case.job_id for case in cases}) != len(cases):
        raise ReaderStudyError("CASES_INVALID", f"expected 1 to {MOST_CASES} cases, each once")
    if not 1 <= len(plan.readers) <= MOST_READERS or len(set(plan.readers)) != len(plan.readers):
        raise ReaderStudyError("READERS_INVALID", f"expected 1 to {MOST_READERS} readers, each once")
    if not plan.finding_types or len(set(plan.finding_types)) != len(plan.finding_types):
        raise ReaderStudyError("FINDING_TYPES_INVALID", "expected at least one type of finding, each once")


def _row(session: Session, study: ReaderStudy) -> StudyRow:
    in_study = ReaderStudyCase.reader_study_id == study.id
    readers = session.execute(
        select(ReaderStudyReader.reader, func.count(CaseReading.id))
        .outerjoin(
            CaseReading,
            (CaseReading.reader_study_reader_id == ReaderStudyReader.id) & CaseReading.finished_at.is_not(None),
        )
        .where(ReaderStudyReader.reader_study_id == study.id)
        .group_by(ReaderStudyReader.id, ReaderStudyReader.reader, ReaderStudyReader.number)
        .order_by(ReaderStudyReader.number)
    ).all()
    cases = session.scalar(select(func.count()).select_from(ReaderStudyCase).where(in_study)) or 0
    known = select(func.count()).select_from(ReaderStudyCase).where(in_study, ReaderStudyCase.truth_known)
    return StudyRow(
        study.id,
        StudyPlan(
            study.name,
            study.instructions,
            tuple(json.loads(study.finding_types)),
            tuple(reader for reader, _ in readers),
            study.seed,
            study.washout_days,
            study.tolerance_mm,
        ),
        cases,
        study.created_by,
        study.created_at,
        study.closed_at,
        session.scalar(known) == cases,
        tuple((reader, done) for reader, done in readers),
    )
