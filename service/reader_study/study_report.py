"""What a blinded reading list has shown: detection in both readings, for all readers and for each, and time per case.

Only pairs count: what one reader has read of one case in both ways, and could judge both times. So both readings have
the same cases and the same readers, however far the study has come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from service.reader_study.detection import Comparison, compare
from service.reader_study.findings import LEAST_SURE, SUREST, Mark, Spacing, TrueFinding, count
from service.reader_study.order import Reading


@dataclass(frozen=True)
class StudyCase:
    """A case with its truth."""

    sop_instance_uid: str
    spacing: Spacing
    truth: tuple[TrueFinding, ...]


@dataclass(frozen=True)
class FinishedReading:
    """What a reader found in one case (its number from 0), read in one way."""

    reader: str
    case: int
    reading: Reading
    session: int
    active_s: float
    unreadable: bool
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class AtConfidence:
    """The comparison with marks of less than `least_confidence` left out."""

    least_confidence: int
    comparison: Comparison


@dataclass(frozen=True)
class ReadingTimes:
    """Median time in sight of a case, s, by reading; None without readings."""

    original_s: float | None
    with_soft_tissue_s: float | None


@dataclass(frozen=True)
class ReaderReport:
    """One reader (`reader` None: all of them); `pairs`: cases read in both ways; the intervals are over cases."""

    reader: str | None
    pairs: int
    unreadable: int
    comparison: Comparison
    times: ReadingTimes


@dataclass(frozen=True)
class StudyReport:
    """The whole; `by_confidence` is of all readers, from the least confidence on, which is that of `overall`."""

    cases: int
    true_findings: int
    tolerance_mm: float
    overall: ReaderReport
    by_reader: tuple[ReaderReport, ...]
    by_confidence: tuple[AtConfidence, ...]


def report(
    cases: Sequence[StudyCase],
    readers: Sequence[str],
    readings: Sequence[FinishedReading],
    *,
    tolerance_mm: float,
    seed: int,
) -> StudyReport:
    """Compare the readings; `seed` is that of the bootstrap."""
    by_place = {(reading.reader, reading.case, reading.reading): reading for reading in readings}
    counts = {least: _counts(cases, readers, by_place, tolerance_mm, least) for least in range(LEAST_SURE, SUREST + 1)}
    whole = counts[LEAST_SURE]
    overall = compare(whole, seed=seed)
    return StudyReport(
        cases=len(cases),
        true_findings=sum(len(case.truth) for case in cases),
        tolerance_mm=tolerance_mm,
        overall=_reader_report(None, overall, readers, by_place, len(cases)),
        by_reader=tuple(
            _reader_report(reader, compare(whole[[place]], seed=seed), [reader], by_place, len(cases))
            for place, reader in enumerate(readers)
        ),
        by_confidence=tuple(
            AtConfidence(least, overall if least == LEAST_SURE else compare(counted, seed=seed))
            for least, counted in counts.items()
        ),
    )


def _reader_report(
    reader: str | None,
    comparison: Comparison,
    of: Sequence[str],
    by_place: Mapping[tuple[str, int, Reading], FinishedReading],
    cases: int,
) -> ReaderReport:
    pairs = [(who, case) for who in of for case in range(cases) if _is_pair(by_place, who, case)]
    unreadable = sum(reading.unreadable for (who, _, _), reading in by_place.items() if who in of)
    alone, beside = (
        [by_place[who, case, reading].active_s for who, case in pairs]
        for reading in (Reading.ORIGINAL, Reading.WITH_SOFT_TISSUE)
    )
    times = ReadingTimes(median(alone) if alone else None, median(beside) if beside else None)
    return ReaderReport(reader, len(pairs), unreadable, comparison, times)


def _counts(
    cases: Sequence[StudyCase],
    readers: Sequence[str],
    by_place: Mapping[tuple[str, int, Reading], FinishedReading],
    tolerance_mm: float,
    least_confidence: int,
) -> NDArray[np.int64]:
    """(readers, cases, 2, 3) of TP, FP, FN; 0 where there is no pair."""
    counts = np.zeros((len(readers), len(cases), 2, 3), dtype=np.int64)
    for place, reader in enumerate(readers):
        for number, case in enumerate(cases):
            if not _is_pair(by_place, reader, number):
                continue
            for column, reading in enumerate((Reading.ORIGINAL, Reading.WITH_SOFT_TISSUE)):
                found = count(
                    by_place[reader, number, reading].marks,
                    case.truth,
                    spacing=case.spacing,
                    tolerance_mm=tolerance_mm,
                    least_confidence=least_confidence,
                )
                counts[place, number, column] = found.true_positives, found.false_positives, found.false_negatives
    return counts


def _is_pair(by_place: Mapping[tuple[str, int, Reading], FinishedReading], reader: str, case: int) -> bool:
    both = [by_place.get((reader, case, reading)) for reading in Reading]
    return all(reading is not None and not reading.unreadable for reading in both)
