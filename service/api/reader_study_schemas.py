"""Bodies and answers of the reader studies' routes (Pydantic)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.api.schemas import Answer
from service.reader_study.findings import LEAST_SURE, SUREST
from service.reader_study.order import Reading
from service.reader_study.truth_list import LONGEST_KIND
from service.registry.reader_studies import MOST_CASES, MOST_READERS, StudyRow
from service.registry.readings import LONGEST_ACTIVE_MS, MOST_MARKS

Line = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
FindingType = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KIND, pattern=r"^[^\x00-\x1f\x7f]+$")]
Pixels = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


class StudyWanted(BaseModel):
    """A blinded reading list to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(examples=["Nodules, spring 2026"])
    instructions: str = Field(default="", max_length=4000, pattern=r"^[^\x00]*$", description="Shown to every reader.")
    finding_types: list[FindingType] = Field(default=["nodule"], min_length=1, max_length=20)
    readers: list[Line] = Field(min_length=1, max_length=MOST_READERS, description="Names of accounts.")
    job_ids: list[Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]] = Field(
        min_length=1, max_length=MOST_CASES, description="Jobs with a result: the cases."
    )
    seed: int = Field(default=1, ge=0, lt=2**53, description="Decides the order of cases and the bootstrap's draws.")
    washout_days: int = Field(default=28, ge=0, le=3650, description="Between a reader's two sessions.")
    tolerance_mm: float = Field(
        default=20.0, gt=0, le=200, allow_inf_nan=False, description="How far from a finding a mark may lie."
    )


class TruthWanted(BaseModel):
    """A truth list."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=900_000, description="CSV or JSON; docs/reader-study.md has its fields.")


class MarkWanted(BaseModel):
    """A finding: a point, or a box with `width` and `height`; pixels of the original."""

    model_config = ConfigDict(extra="forbid")

    column: Pixels
    row: Pixels
    width: Pixels = 0.0
    height: Pixels = 0.0
    type: FindingType
    confidence: int = Field(ge=LEAST_SURE, le=SUREST)


class FindingsWanted(BaseModel):
    """What a reader found in a case."""

    model_config = ConfigDict(extra="forbid")

    marks: list[MarkWanted] = Field(max_length=MOST_MARKS, description="Empty: nothing was found.")
    active_ms: int = Field(ge=0, le=LONGEST_ACTIVE_MS, description="How long the case was in sight.")
    unreadable: bool = Field(default=False, description="The case cannot be judged; it will not count.")


class Progress(Answer):
    """How far a reader has come."""

    reader: str
    finished: int
    readings: int


class ReaderStudy(Answer):
    """A blinded reading list, as its administrator sees it."""

    id: int
    name: str
    instructions: str
    finding_types: list[str]
    seed: int
    washout_days: int
    tolerance_mm: float
    cases: int
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    truth_known: bool
    readers: list[Progress]

    @classmethod
    def of(cls, row: StudyRow) -> ReaderStudy:
        """From the registry's row."""
        progress = [Progress(reader=name, finished=done, readings=row.readings_each) for name, done in row.progress]
        values = vars(row) | vars(row.plan) | {"finding_types": list(row.plan.finding_types), "readers": progress}
        return cls.model_validate(values)


class ReaderStudies(Answer):
    """All studies, newest first."""

    items: list[ReaderStudy]


class OwnStudy(Answer):
    """A study that I read; without the other readers, the seed, or what was found."""

    id: int
    name: str
    instructions: str
    finding_types: list[str]
    washout_days: int
    finished: int
    readings: int
    closed_at: datetime | None


class OwnStudies(Answer):
    """The studies that I read, newest first."""

    items: list[OwnStudy]


class FinishedReading(Answer):
    """A reading was written."""

    reading_id: int


class NextReading(Answer):
    """What to read now. READ: the fields that follow; WASHOUT: nothing before `opens_at`; DONE, CLOSED: nothing."""

    state: Literal["READ", "WASHOUT", "DONE", "CLOSED"]
    opens_at: datetime | None = None
    reading_id: int | None = None
    number: int | None = Field(default=None, description="Of my readings of the study, from 1.")
    session: int | None = None
    shows: Reading | None = None
    rows: int | None = None
    columns: int | None = None
    row_mm: float | None = None
    column_mm: float | None = None
