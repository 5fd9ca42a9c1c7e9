from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import queries
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState
from service.registry.keyset import Key
from tests.service.registry.factories import NOON, claimed, derived_job, facts, queued_job, record


def test_studies_are_listed_by_their_last_instance_with_their_jobs(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        record(session, facts(study_instance_uid="2.25.1"))
        record(session, facts(study_instance_uid="2.25.2"), now=NOON + timedelta(seconds=1))
        record(session, facts(study_instance_uid="2.25.1"), now=NOON + timedelta(seconds=2))
        record(session, facts(study_instance_uid="2.25.1"), reason_code="LATERAL", now=NOON)
    with transaction(sessions, read_only=True) as session:
        listed = queries.list_studies(session)
        second_page = queries.list_studies(session, limit=1, after=Key("2.25.1", listed[0].last_received_at))
    assert [(s.study_instance_uid, s.instance_count, dict(s.jobs_by_state)) for s in listed] == [
        ("2.25.1", 3, {JobState.QUEUED: 2}),
        ("2.25.2", 1, {JobState.QUEUED: 1}),
    ]
    assert second_page == listed[1:]


def test_a_study_shows_every_instance_with_its_job_or_its_reason(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        frontal = record(session, facts(study_instance_uid="2.25.1"))
        record(session, facts(study_instance_uid="2.25.1"), reason_code="LATERAL")
    with transaction(sessions, read_only=True) as session:
        study = queries.study_detail(session, "2.25.1")
        assert queries.study_detail(session, "2.25.9") is None
    assert study is not None
    first, second = study.instances
    assert first.job is not None
    assert (first.job.job_id, first.reason_code) == (frontal.job_id, None)
    assert (second.job, second.reason_code, second.reason_detail) == (None, "LATERAL", "found a knee")


def test_jobs_are_listed_newest_first_and_by_state(sessions: sessionmaker[Session]) -> None:
    old, new = (queued_job(sessions, now=NOON + timedelta(seconds=s)) for s in (0, 1))
    claimed(sessions, old, now=NOON + timedelta(seconds=2))
    with transaction(sessions, read_only=True) as session:
        assert [job.job_id for job in queries.list_jobs(session)] == [new, old]
        assert [job.job_id for job in queries.list_jobs(session, JobFilter(state=JobState.RUNNING))] == [old]
        assert [
            job.job_id for job in queries.list_jobs(session, limit=1, after=Key(new, NOON + timedelta(seconds=1)))
        ] == [old]


def test_every_state_is_counted_those_without_jobs_as_well(sessions: sessionmaker[Session]) -> None:
    queued_job(sessions)
    derived_job(sessions)
    with transaction(sessions, read_only=True) as session:
        assert queries.counts_by_state(session) == {
            JobState.QUEUED: 1,
            JobState.RUNNING: 0,
            JobState.DERIVED: 1,
            JobState.DELIVERED: 0,
            JobState.COMMITTED: 0,
            JobState.REFUSED: 0,
            JobState.FAILED: 0,
            JobState.CANCELLED: 0,
        }


def test_an_unknown_job_has_no_detail(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions, read_only=True) as session:
        assert queries.job_detail(session, "no such job") is None


def test_times_come_back_as_they_went_in(sessions: sessionmaker[Session]) -> None:
    moment = NOON + timedelta(microseconds=123456)
    job_id = queued_job(sessions, now=moment)
    with transaction(sessions, read_only=True) as session:
        detail = queries.job_detail(session, job_id)
    assert detail is not None
    assert detail.summary.created_at == moment
    assert detail.summary.created_at.utcoffset() == timedelta(0)
