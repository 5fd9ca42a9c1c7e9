"""What has been read in a study, for its report and its export."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.reader_study.findings import Mark, Region, Spacing, TrueFinding
from service.reader_study.order import Reading
from service.reader_study.study_report import FinishedReading, StudyCase, StudyReport, report
from service.registry.reader_errors import ReaderStudyError
from service.registry.reader_studies import StudyRow, find_study
from service.registry.reader_tables import (
    CaseReading,
    ReaderStudyCase,
    ReaderStudyReader,
    ReaderStudyTruth,
    ReadingMark,
)
from service.registry.tables import Instance, Job


@dataclass(frozen=True)
class StudyReadings:
    """A study, its cases in the order of the list, and the readings that are finished, the oldest first."""

    study: StudyRow
    cases: tuple[StudyCase, ...]
    readings: tuple[FinishedReading, ...]


def study_report(session: Session, study_id: int) -> StudyReport:
    """The report as things stand. Raises ReaderStudyError while there is no truth list."""
    found = study_readings(session, study_id)
    if not found.study.truth_known:
        raise ReaderStudyError("TRUTH_LIST_MISSING", "expected a truth list, found none: send one to …/truth first")
    plan = found.study.plan
    return report(found.cases, plan.readers, found.readings, tolerance_mm=plan.tolerance_mm, seed=plan.seed)


def study_readings(session: Session, study_id: int) -> StudyReadings:
    """Everything that was read. Raises ReaderStudyError READER_STUDY_UNKNOWN."""
    study = find_study(session, study_id)
    cases = session.execute(
        select(ReaderStudyCase, Instance.sop_instance_uid)
        .join(Job, Job.id == ReaderStudyCase.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .where(ReaderStudyCase.reader_study_id == study_id)
        .order_by(ReaderStudyCase.number)
    ).all()
    truth = _truth(session, study_id)
    numbers = {case.id: number for number, (case, _) in enumerate(cases)}
    return StudyReadings(
        study,
        tuple(StudyCase(uid, Spacing(case.row_mm, case.column_mm), tuple(truth[case.id])) for case, uid in cases),
        _readings(session, study_id, numbers),
    )


def _truth(session: Session, study_id: int) -> dict[int, list[TrueFinding]]:
    rows = session.scalars(
        select(ReaderStudyTruth)
        .join(ReaderStudyCase, ReaderStudyCase.id == ReaderStudyTruth.reader_study_case_id)
        .where(ReaderStudyCase.reader_study_id == study_id)
        .order_by(ReaderStudyTruth.id)
    )
    found: dict[int, list[TrueFinding]] = defaultdict(list)
    for row in rows:
        region = Region(row.column_px, row.row_px, row.width_px, row.height_px)
        found[row.reader_study_case_id].append(TrueFinding(region, row.finding_type))
    return found


def _readings(session: Session, study_id: int, numbers: dict[int, int]) -> tuple[FinishedReading, ...]:
    of_study = (
        select(CaseReading, ReaderStudyReader.reader)
        .join(ReaderStudyReader, ReaderStudyReader.id == CaseReading.reader_study_reader_id)
        .where(ReaderStudyReader.reader_study_id == study_id, CaseReading.finished_at.is_not(None))
        .order_by(CaseReading.finished_at, CaseReading.id)
    )
    marks: dict[int, list[Mark]] = defaultdict(list)
    marked = (
        select(ReadingMark)
        .join(CaseReading, CaseReading.id == ReadingMark.case_reading_id)
        .join(ReaderStudyReader, ReaderStudyReader.id == CaseReading.reader_study_reader_id)
        .where(ReaderStudyReader.reader_study_id == study_id)
        .order_by(ReadingMark.id)
    )
    for row in session.scalars(marked):
        region = Region(row.column_px, row.row_px, row.width_px, row.height_px)
        marks[row.case_reading_id].append(Mark(region, row.finding_type, row.confidence))
    return tuple(
        FinishedReading(
            reader=reader,
            case=numbers[reading.reader_study_case_id],
            reading=Reading(reading.reading),
            session=reading.session,
            active_s=(reading.active_ms or 0) / 1000,
            unreadable=reading.unreadable,
            marks=tuple(marks[reading.id]),
        )
        for reading, reader in session.execute(of_study)
    )
