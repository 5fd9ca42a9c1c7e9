"""CSV of a report, of marks and of scores, for statistics programs; one line a figure, mark or score, UTF-8.

Text that a spreadsheet would run as a formula is prefixed with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from service.reader_study.detection import Comparison, Estimate
from service.reader_study.score_summary import CriterionSummary
from service.reader_study.study_report import FinishedReading, StudyCase, StudyReport

ALL_READERS = "(all)"
Field = str | int | float | None


def report_csv(report: StudyReport) -> str:
    """Precision, recall and F1 of both readings and their differences, with intervals, and median times."""
    heading = ("reader", "least_confidence", "reading", "figure", "value", "low_95", "high_95", "pairs")
    return _csv(heading, _report_lines(report))


def marks_csv(cases: Sequence[StudyCase], readings: Iterable[FinishedReading]) -> str:
    """Every mark; a reading without marks has one line with empty places."""
    heading = (
        "reader", "sop_instance_uid", "reading", "session", "active_s", "unreadable",
        "column", "row", "width", "height", "type", "confidence",
    )  # fmt: skip
    return _csv(heading, _mark_lines(cases, readings))


def summary_csv(models: Iterable[tuple[str, str, Sequence[CriterionSummary]]]) -> str:
    """Means and agreement; of each model its name, digest and summaries."""
    heading = ("model", "model_sha256", "criterion", "figure", "reader", "other_reader", "value", "count")
    return _csv(heading, _summary_lines(models))


def _report_lines(report: StudyReport) -> Iterator[Sequence[Field]]:
    for row in report.by_confidence:
        yield from _comparison_lines(ALL_READERS, row.least_confidence, row.comparison, report.overall.pairs)
    least = report.by_confidence[0].least_confidence
    for reader in report.by_reader:
        yield from _comparison_lines(str(reader.reader), least, reader.comparison, reader.pairs)
    for reader in (report.overall, *report.by_reader):
        name = reader.reader or ALL_READERS
        yield name, least, "ORIGINAL", "median_active_s", reader.times.original_s, None, None, reader.pairs
        yield (
            name,
            least,
            "WITH_SOFT_TISSUE",
            "median_active_s",
            reader.times.with_soft_tissue_s,
            None,
            None,
            reader.pairs,
        )


def _comparison_lines(reader: str, least: int, found: Comparison, pairs: int) -> Iterator[Sequence[Field]]:
    for reading, detection in (("ORIGINAL", found.original), ("WITH_SOFT_TISSUE", found.with_soft_tissue)):
        for figure, number in (
            ("true_positives", detection.true_positives),
            ("false_positives", detection.false_positives),
            ("false_negatives", detection.false_negatives),
        ):
            yield reader, least, reading, figure, number, None, None, pairs
        for figure, estimate in (
            ("precision", detection.precision),
            ("recall", detection.recall),
            ("f1", detection.f1),
        ):
            yield reader, least, reading, figure, *_interval(estimate), pairs
    gains = (("precision", found.precision_gain), ("recall", found.recall_gain), ("f1", found.f1_gain))
    for figure, estimate in gains:
        yield reader, least, "DIFFERENCE", figure, *_interval(estimate), pairs


def _interval(estimate: Estimate) -> tuple[Field, Field, Field]:
    return estimate.value, estimate.low, estimate.high


def _mark_lines(cases: Sequence[StudyCase], readings: Iterable[FinishedReading]) -> Iterator[Sequence[Field]]:
    for reading in readings:
        which: tuple[Field, ...] = (
            reading.reader,
            cases[reading.case].sop_instance_uid,
            reading.reading.value,
            reading.session,
            reading.active_s,
            "yes" if reading.unreadable else "no",
        )
        if not reading.marks:
            yield *which, None, None, None, None, None, None
        for mark in reading.marks:
            region = mark.region
            yield *which, region.column, region.row, region.width, region.height, mark.kind, mark.confidence


def _summary_lines(models: Iterable[tuple[str, str, Sequence[CriterionSummary]]]) -> Iterator[Sequence[Field]]:
    for name, digest, summaries in models:
        for summary in summaries:
            which = (name, digest, summary.criterion.value)
            for mean in (summary.overall, *summary.by_reader):
                yield *which, "mean", mean.reader or ALL_READERS, None, mean.mean, mean.count
                yield *which, "deviation", mean.reader or ALL_READERS, None, mean.deviation, mean.count
            yield *which, "krippendorff_alpha_ordinal", ALL_READERS, None, summary.alpha, None
            for pair in summary.pairs:
                yield *which, "kappa_quadratic", *pair.readers, pair.kappa, pair.cases


def _csv(heading: Sequence[str], lines: Iterable[Sequence[Field]]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([_safe(field) for field in line] for line in lines)
    return target.getvalue()


def _safe(field: Field) -> Field:
    return f"'{field}" if isinstance(field, str) and field[:1] in {"=", "+", "-", "@", "\t", "\r"} else field
