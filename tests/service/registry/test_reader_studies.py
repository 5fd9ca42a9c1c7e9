from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.reader_study.criteria import Scores
from service.reader_study.exported import marks_csv, report_csv
from service.reader_study.findings import Mark, Region, Spacing, TrueFinding
from service.reader_study.order import Reading
from service.registry import reader_studies, readings, result_scores
from service.registry.reader_errors import ReaderStudyError
from service.registry.reading_results import study_readings, study_report
from service.registry.tables import Instance, Job
from tests.service.registry.factories import NOON, queued_job

PLAN = reader_studies.StudyPlan("nodules", "Mark nodules.", ("nodule", "other"), ("ann", "bob"), 7, 28, 10.0)
NODULE = Region(100, 100)


def study_of(sessions: sessionmaker[Session], cases: int = 2, plan: reader_studies.StudyPlan = PLAN) -> int:
    new = [reader_studies.NewCase(queued_job(sessions), "b" * 64, 400, 300, Spacing(0.2, 0.2)) for _ in range(cases)]
    with transaction(sessions) as session:
        return reader_studies.create_study(session, plan, new, by="boss", now=NOON)


def originals(sessions: sessionmaker[Session]) -> list[str]:
    with transaction(sessions, read_only=True) as session:
        query = session.query(Instance.sop_instance_uid).join(Job, Job.instance_id == Instance.id)
        return [uid for (uid,) in query.order_by(Instance.id)]


def read_all(
    sessions: sessionmaker[Session], study: int, reader: str, alone: Sequence[Mark], beside: Sequence[Mark]
) -> list[tuple[int, Reading]]:
    """Read until nothing is left, waiting out the washout; the sessions and readings in their order."""
    now, seen = NOON, []
    while True:
        with transaction(sessions) as session:
            shown = readings.next_reading(session, study, reader, now=now)
        if isinstance(shown, readings.Washout):
            now = shown.opens_at
        elif isinstance(shown, readings.AllRead):
            return seen
        else:
            seen.append((shown.session, shown.reading))
            now += timedelta(seconds=20)
            marks = alone if shown.reading is Reading.ORIGINAL else beside
            with transaction(sessions) as session:
                readings.finish_reading(session, shown.reading_id, reader, marks, active_ms=12_000, now=now)


def test_a_study_is_read_in_two_sessions_and_reported(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions)
    sick, healthy = originals(sessions)
    with transaction(sessions) as session:
        truth = {sick: (TrueFinding(NODULE, "nodule"),), healthy: (), "9.9.9": ()}
        reader_studies.set_truth(session, study, truth)
    right, wrong = Mark(Region(140, 100), "nodule", 4), Mark(Region(250, 300), "nodule", 2)
    order = read_all(sessions, study, "ann", [wrong], [right])
    assert [number for number, _ in order] == [1, 1, 2, 2]
    assert sorted(reading for number, reading in order if number == 1) == sorted(Reading)
    read_all(sessions, study, "bob", [], [right])
    with transaction(sessions, read_only=True) as session:
        found, kept = study_report(session, study), study_readings(session, study)
    # Alone: ann's mark is wrong twice, bob marks nothing: TP 0, FP 2, FN 2. Beside: TP 2, FP 2 (the healthy one), FN 0.
    original, beside = found.overall.comparison.original, found.overall.comparison.with_soft_tissue
    assert (original.true_positives, original.false_positives, original.false_negatives) == (0, 2, 2)
    assert (beside.true_positives, beside.false_positives, beside.false_negatives) == (2, 2, 0)
    assert (beside.precision.value, beside.recall.value, found.overall.comparison.recall_gain.value) == (0.5, 1, 1)
    assert [(row.reader, row.pairs, row.times.original_s) for row in found.by_reader] == [
        ("ann", 2, 12),
        ("bob", 2, 12),
    ]
    # From a confidence of 3 on ann's wrong marks are gone.
    assert [row.comparison.original.false_positives for row in found.by_confidence] == [2, 2, 0, 0, 0]
    assert kept.study.progress == (("ann", 4), ("bob", 4))
    assert "(all),1,WITH_SOFT_TISSUE,recall,1.0," in report_csv(found)
    lines = marks_csv(kept.cases, kept.readings).splitlines()
    assert len(lines) == 9
    assert sum(",140.0,100.0,0.0,0.0,nodule,4" in line for line in lines) == 4


def test_the_second_session_waits_for_the_washout(sessions: sessionmaker[Session]) -> None:
    study, now = study_of(sessions, cases=1), NOON
    with transaction(sessions) as session:
        shown = readings.next_reading(session, study, "ann", now=now)
        again = readings.next_reading(session, study, "ann", now=now + timedelta(hours=1))
        assert isinstance(shown, readings.OpenReading)
        assert again == shown
        readings.finish_reading(session, shown.reading_id, "ann", [], active_ms=10**9, now=now + timedelta(seconds=5))
        opens_at = now + timedelta(seconds=5, days=28)
        early = readings.next_reading(session, study, "ann", now=opens_at - timedelta(seconds=1))
        assert early == readings.Washout(opens_at)
        assert isinstance(readings.next_reading(session, study, "ann", now=opens_at), readings.OpenReading)
        # Time in sight is never more than the time that has passed.
        assert study_readings(session, study).readings[0].active_s == 5


def test_a_reading_belongs_to_its_reader_and_is_finished_once(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions)
    with transaction(sessions) as session:
        shown = readings.next_reading(session, study, "ann", now=NOON)
        assert isinstance(shown, readings.OpenReading)
        assert readings.files_of_reading(session, shown.reading_id, "ann").reading is shown.reading
        refuses(session, "READING_UNKNOWN", shown.reading_id, "bob")
        readings.finish_reading(session, shown.reading_id, "ann", [], active_ms=0, now=NOON)
        refuses(session, "READING_UNKNOWN", shown.reading_id, "ann")
        with pytest.raises(ReaderStudyError, match="NOT_A_READER"):
            readings.next_reading(session, study, "eve", now=NOON)


@pytest.mark.parametrize(
    "mark",
    [
        Mark(NODULE, "fracture", 3),
        Mark(NODULE, "nodule", 0),
        Mark(NODULE, "nodule", 6),
        Mark(Region(299, 10, width=2), "nodule", 3),
        Mark(Region(10, 401), "nodule", 3),
        Mark(Region(float("nan"), 10), "nodule", 3),
        Mark(Region(20, 20, width=-5), "nodule", 3),
    ],
)
def test_marks_that_cannot_be_are_refused_and_the_reading_stays_open(
    sessions: sessionmaker[Session], mark: Mark
) -> None:
    study = study_of(sessions)
    with transaction(sessions) as session:
        shown = readings.next_reading(session, study, "ann", now=NOON)
        assert isinstance(shown, readings.OpenReading)
        refuses(session, "MARKS_INVALID", shown.reading_id, "ann", mark)
        assert readings.next_reading(session, study, "ann", now=NOON) == shown


def test_what_cannot_be_read_counts_in_neither_reading(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions, cases=1)
    with transaction(sessions) as session:
        reader_studies.set_truth(session, study, {originals(sessions)[0]: (TrueFinding(NODULE, "nodule"),)})
        for now in (NOON, NOON + timedelta(days=30)):
            shown = readings.next_reading(session, study, "ann", now=now)
            assert isinstance(shown, readings.OpenReading)
            spoilt = shown.reading is Reading.ORIGINAL
            readings.finish_reading(session, shown.reading_id, "ann", [], active_ms=1, unreadable=spoilt, now=now)
        found = study_report(session, study)
    assert (found.overall.pairs, found.overall.unreadable) == (0, 1)
    assert found.overall.comparison.with_soft_tissue.recall.value is None


def test_a_truth_list_must_name_every_case(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions)
    first, second = originals(sessions)
    with transaction(sessions) as session:
        for truth, code in (
            ({first: ()}, "TRUTH_LIST_INCOMPLETE"),
            ({first: (), second: (TrueFinding(NODULE, "fracture"),)}, "FINDING_TYPE_UNKNOWN"),
            ({first: (), second: (TrueFinding(Region(301, 0), "nodule"),)}, "FINDING_OUTSIDE_IMAGE"),
        ):
            with pytest.raises(ReaderStudyError, match=code):
                reader_studies.set_truth(session, study, truth)
        session.rollback()
    with transaction(sessions) as session, pytest.raises(ReaderStudyError, match="TRUTH_LIST_MISSING"):
        study_report(session, study)


def test_a_closed_study_is_read_no_further(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions)
    with transaction(sessions) as session:
        shown = readings.next_reading(session, study, "ann", now=NOON)
        assert isinstance(shown, readings.OpenReading)
        reader_studies.close_study(session, study, now=NOON)
        assert readings.next_reading(session, study, "ann", now=NOON) == readings.AllRead(closed=True)
        refuses(session, "READING_UNKNOWN", shown.reading_id, "ann")


def test_names_are_taken_once_and_readers_see_their_own_studies(sessions: sessionmaker[Session]) -> None:
    study = study_of(sessions)
    with pytest.raises(ReaderStudyError, match="READER_STUDY_EXISTS"):
        study_of(sessions)
    with transaction(sessions, read_only=True) as session:
        (row,) = reader_studies.list_studies(session, reader="bob")
        assert (row.id, row.plan, row.readings_each, row.truth_known) == (study, PLAN, 4, False)
        assert reader_studies.list_studies(session, reader="eve") == []
        with pytest.raises(ReaderStudyError, match="READER_STUDY_UNKNOWN"):
            reader_studies.find_study(session, study + 1)


def test_there_is_nothing_to_score_without_a_result(sessions: sessionmaker[Session]) -> None:
    job_id = queued_job(sessions)
    with transaction(sessions) as session, pytest.raises(ReaderStudyError, match="RESULT_MISSING"):
        result_scores.record_scores(session, job_id, "ann", Scores(1, 2, 3), now=NOON)


def refuses(session: Session, code: str, reading_id: int, reader: str, *marks: Mark) -> None:
    with pytest.raises(ReaderStudyError, match=code):
        readings.finish_reading(session, reading_id, reader, marks, active_ms=0, now=NOON)
