"""Reader studies: what is read by whom, what they marked, what is true, and how results were scored.

A reader is an account's name, as in the audit trail. Positions and sizes are in pixels of the original image
(`service.reader_study.findings`). No row of `result_scores` or `reading_marks` is changed once it is written.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, JOB_ID, ROW_ID, SHA256, ForeignText
from service.registry.metadata import Table

READER = ForeignText(128)
FINDING_TYPE = String(64)


class ResultScores(Table):
    """One reader's scores of one result, 1 to 3 each; the model is that of the result at the time.

    A reader who scores again adds a row, and the last one counts.
    """

    __tablename__ = "result_scores"
    __table_args__ = (Index(None, "job_id", "reader", "id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    job_id: Mapped[str] = mapped_column(JOB_ID, ForeignKey("jobs.id"))
    result_sha256: Mapped[str] = mapped_column(SHA256)
    model_name: Mapped[str] = mapped_column(String(64))
    model_sha256: Mapped[str] = mapped_column(SHA256)
    reader: Mapped[str] = mapped_column(READER)
    lung_vessels: Mapped[int]
    airways: Mapped[int]
    bone_suppression: Mapped[int]
    scored_at: Mapped[datetime]


class ReaderStudy(Table):
    """A blinded reading list. `finding_types`: what can be marked, in a JSON list; `closed_at`: nothing is read after.

    `seed` decides every reader's order and the bootstrap's draws; `washout_days` lie between a reader's two sessions; a
    mark within `tolerance_mm` of a true finding has found it.
    """

    __tablename__ = "reader_studies"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    instructions: Mapped[str] = mapped_column(Text)
    finding_types: Mapped[str] = mapped_column(Text)
    seed: Mapped[int] = mapped_column(BigInteger)
    washout_days: Mapped[int]
    tolerance_mm: Mapped[float] = mapped_column(Double)
    created_by: Mapped[str] = mapped_column(READER)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReaderStudyReader(Table):
    """A reader of a study; `number` from 0 decides the order in which cases are shown."""

    __tablename__ = "reader_study_readers"
    __table_args__ = (UniqueConstraint("reader_study_id", "reader"), UniqueConstraint("reader_study_id", "number"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    reader_study_id: Mapped[int] = mapped_column(ForeignKey("reader_studies.id"))
    number: Mapped[int]
    reader: Mapped[str] = mapped_column(READER)


class ReaderStudyCase(Table):
    """A case of a study: the original of a job and the very result that was there when the study was made.

    `image_rows` by `image_columns` pixels, `row_mm` and `column_mm` apart. `truth_known`: the truth list names it.
    """

    __tablename__ = "reader_study_cases"
    __table_args__ = (
        UniqueConstraint("reader_study_id", "number"),
        UniqueConstraint("reader_study_id", "job_id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    reader_study_id: Mapped[int] = mapped_column(ForeignKey("reader_studies.id"))
    number: Mapped[int]
    job_id: Mapped[str] = mapped_column(JOB_ID, ForeignKey("jobs.id"))
    result_sha256: Mapped[str] = mapped_column(SHA256)
    image_rows: Mapped[int]
    image_columns: Mapped[int]
    row_mm: Mapped[float] = mapped_column(Double)
    column_mm: Mapped[float] = mapped_column(Double)
    truth_known: Mapped[bool]


class ReaderStudyTruth(Table):
    """A true finding of a case."""

    __tablename__ = "reader_study_truths"
    __table_args__ = (Index(None, "reader_study_case_id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    reader_study_case_id: Mapped[int] = mapped_column(ForeignKey("reader_study_cases.id"))
    column_px: Mapped[float] = mapped_column(Double)
    row_px: Mapped[float] = mapped_column(Double)
    width_px: Mapped[float] = mapped_column(Double)
    height_px: Mapped[float] = mapped_column(Double)
    finding_type: Mapped[str] = mapped_column(FINDING_TYPE)


class CaseReading(Table):
    """One reader's reading of one case in one way, begun when it was first shown.

    `active_ms`: how long the page with it was in sight, as the browser measured it. `unreadable`: the reader could not
    judge it; it counts in neither reading.
    """

    __tablename__ = "case_readings"
    __table_args__ = (
        UniqueConstraint("reader_study_reader_id", "reader_study_case_id", "reading", name="uq_case_readings_whose"),
        Index(None, "reader_study_case_id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    reader_study_reader_id: Mapped[int] = mapped_column(ForeignKey("reader_study_readers.id"))
    reader_study_case_id: Mapped[int] = mapped_column(ForeignKey("reader_study_cases.id"))
    reading: Mapped[str] = mapped_column(CODE)
    session: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    active_ms: Mapped[int | None]
    unreadable: Mapped[bool]


class ReadingMark(Table):
    """A finding that a reader marked, point (`width_px` and `height_px` 0) or box; `confidence` 1 to 5."""

    __tablename__ = "reading_marks"
    __table_args__ = (Index(None, "case_reading_id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    case_reading_id: Mapped[int] = mapped_column(ForeignKey("case_readings.id"))
    column_px: Mapped[float] = mapped_column(Double)
    row_px: Mapped[float] = mapped_column(Double)
    width_px: Mapped[float] = mapped_column(Double)
    height_px: Mapped[float] = mapped_column(Double)
    finding_type: Mapped[str] = mapped_column(FINDING_TYPE)
    confidence: Mapped[int]
