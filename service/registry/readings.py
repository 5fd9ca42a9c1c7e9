"""A reader's way through a blinded reading list: what comes next, and what was found. The caller commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from service.reader_study.findings import LEAST_SURE, SUREST, Mark, Spacing
from service.reader_study.order import Reading, Turn, reading_order
from service.registry.reader_errors import ReaderStudyError
from service.registry.reader_studies import StudyRow, find_study
from service.registry.reader_tables import CaseReading, ReaderStudyCase, ReaderStudyReader, ReadingMark

MOST_MARKS = 100
LONGEST_ACTIVE_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class OpenReading:
    """What is to be read now; `number` counts the reader's readings from 1. Says nothing of model or patient."""

    reading_id: int
    number: int
    session: int
    reading: Reading
    rows: int
    columns: int
    spacing: Spacing


@dataclass(frozen=True)
class Washout:
    """Session 2 has not begun; it does at `opens_at`."""

    opens_at: datetime


@dataclass(frozen=True)
class AllRead:
    """The reader has read everything, or the study was closed (`closed`)."""

    closed: bool


@dataclass(frozen=True)
class ReadingFiles:
    """Which files an open reading shows: the original of a job and, unless it is read alone, this result of it."""

    job_id: str
    result_sha256: str
    reading: Reading


def next_reading(session: Session, study_id: int, reader: str, *, now: datetime) -> OpenReading | Washout | AllRead:
    """What `reader` is to read now, noting when it was first shown. Raises ReaderStudyError, also for no reader of it.

    Asked again before it is finished, it is the same reading, and its beginning stays.
    """
    study = find_study(session, study_id)
    row = _reader(session, study_id, reader)
    if study.closed_at is not None:
        return AllRead(closed=True)
    cases = session.scalars(
        select(ReaderStudyCase).where(ReaderStudyCase.reader_study_id == study_id).order_by(ReaderStudyCase.number)
    ).all()
    readings = {
        (reading.reader_study_case_id, reading.reading): reading
        for reading in session.scalars(select(CaseReading).where(CaseReading.reader_study_reader_id == row.id))
    }
    turns = reading_order(cases=len(cases), reader=row.number, seed=study.plan.seed)
    for number, turn in enumerate(turns, start=1):
        case = cases[turn.case]
        begun = readings.get((case.id, turn.reading))
        if begun is not None and begun.finished_at is not None:
            continue
        if turn.session > 1 and begun is None:
            opens_at = _opens_at(study, list(readings.values()))
            if now < opens_at:
                return Washout(opens_at)
        begun = begun or _begin(session, row.id, case.id, turn, now)
        spacing = Spacing(case.row_mm, case.column_mm)
        return OpenReading(begun.id, number, turn.session, turn.reading, case.image_rows, case.image_columns, spacing)
    return AllRead(closed=False)


def files_of_reading(session: Session, reading_id: int, reader: str) -> ReadingFiles:
    """The files of a reading of `reader` that is not finished. Raises ReaderStudyError READING_UNKNOWN."""
    found = session.execute(
        select(CaseReading, ReaderStudyCase)
        .join(ReaderStudyCase, ReaderStudyCase.id == CaseReading.reader_study_case_id)
        .join(ReaderStudyReader, ReaderStudyReader.id == CaseReading.reader_study_reader_id)
        .where(CaseReading.id == reading_id, ReaderStudyReader.reader == reader, CaseReading.finished_at.is_(None))
    ).one_or_none()
    if found is None or find_study(session, found[1].reader_study_id).closed_at is not None:
        raise ReaderStudyError("READING_UNKNOWN", "this is no open reading of yours")
    return ReadingFiles(found[1].job_id, found[1].result_sha256, Reading(found[0].reading))


def finish_reading(
    session: Session,
    reading_id: int,
    reader: str,
    marks: Sequence[Mark],
    *,
    active_ms: int,
    unreadable: bool = False,
    now: datetime,
) -> None:
    """Write what `reader` found; it cannot be changed afterwards. Raises ReaderStudyError.

    `active_ms` is at most the time since the reading was begun, whatever the browser says.
    """
    files_of_reading(session, reading_id, reader)
    reading = session.get_one(CaseReading, reading_id)
    case = session.get_one(ReaderStudyCase, reading.reader_study_case_id)
    _check_marks(find_study(session, case.reader_study_id), case, marks, unreadable)
    passed_ms = max(0, round((now - reading.started_at) / timedelta(milliseconds=1)))
    finished = session.execute(
        update(CaseReading)
        .where(CaseReading.id == reading_id, CaseReading.finished_at.is_(None))
        .values(finished_at=now, active_ms=min(active_ms, passed_ms, LONGEST_ACTIVE_MS), unreadable=unreadable)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(finished, CursorResult)
    if finished.rowcount != 1:  # another tab was faster
        raise ReaderStudyError("READING_UNKNOWN", "this is no open reading of yours")
    for mark in marks:
        session.add(
            ReadingMark(
                case_reading_id=reading_id,
                column_px=mark.region.column,
                row_px=mark.region.row,
                width_px=mark.region.width,
                height_px=mark.region.height,
                finding_type=mark.kind,
                confidence=mark.confidence,
            )
        )
    session.flush()


def _reader(session: Session, study_id: int, reader: str) -> ReaderStudyReader:
    # Held, so that two tabs of one reader begin one reading and not two.
    found = session.scalar(
        select(ReaderStudyReader)
        .where(ReaderStudyReader.reader_study_id == study_id, ReaderStudyReader.reader == reader)
        .with_for_update()
    )
    if found is None:
        raise ReaderStudyError("NOT_A_READER", "your account is not one of this study's readers")
    return found


def _opens_at(study: StudyRow, readings: Sequence[CaseReading]) -> datetime:
    finished = [reading.finished_at for reading in readings if reading.session == 1 and reading.finished_at is not None]
    return max(finished) + timedelta(days=study.plan.washout_days)


def _begin(session: Session, reader_id: int, case_id: int, turn: Turn, now: datetime) -> CaseReading:
    begun = CaseReading(
        reader_study_reader_id=reader_id,
        reader_study_case_id=case_id,
        reading=turn.reading.value,
        session=turn.session,
        started_at=now,
        unreadable=False,
    )
    session.add(begun)
    session.flush()
    return begun


def _check_marks(study: StudyRow, case: ReaderStudyCase, marks: Sequence[Mark], unreadable: bool) -> None:
    if len(marks) > MOST_MARKS or (unreadable and marks):
        raise ReaderStudyError(
            "MARKS_INVALID", f"expected at most {MOST_MARKS} marks, and none on an image that cannot be read"
        )
    for mark in marks:
        region = mark.region
        if mark.kind not in study.plan.finding_types or not LEAST_SURE <= mark.confidence <= SUREST:
            raise ReaderStudyError(
                "MARKS_INVALID",
                f"expected marks of the study's finding types with a confidence from {LEAST_SURE} to {SUREST}",
            )
        inside = 0 <= region.column <= region.column + region.width <= case.image_columns
        if not (inside and 0 <= region.row <= region.row + region.height <= case.image_rows):
            raise ReaderStudyError("MARKS_INVALID", "expected marks within the image")
