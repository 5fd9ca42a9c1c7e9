from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import queries
from service.registry.instances import Reception, find_stored, record_rejection
from service.registry.job_states import JobState
from service.registry.tables import Instance, Job, JobEvent, Series, Study
from tests.service.registry.factories import NOON, at_once, facts, record

REPOSITORY = Path(__file__).resolve().parents[3]


def count(session: Session, table: type[object]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_eligible_instance_gets_one_queued_job_with_a_history(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        recorded = record(session)
    assert recorded.reception is Reception.NEW
    assert recorded.job_id is not None
    with transaction(sessions, read_only=True) as session:
        detail = queries.job_detail(session, recorded.job_id)
    assert detail is not None
    assert detail.summary.state is JobState.QUEUED
    assert [(e.event, e.from_state, e.to_state, e.at) for e in detail.events] == [
        ("queued", None, JobState.QUEUED, NOON)
    ]


def test_an_instance_that_is_not_ours_is_kept_with_its_reason_and_gets_no_job(sessions: sessionmaker[Session]) -> None:
    instance = facts()
    with transaction(sessions) as session:
        assert record(session, instance, reason_code="NOT_CHEST").job_id is None
    with transaction(sessions, read_only=True) as session:
        assert count(session, Job) == 0
        [row] = queries.list_ineligible(session)
    assert (row.sop_instance_uid, row.reason_code, row.job) == (instance.sop_instance_uid, "NOT_CHEST", None)


def test_the_same_data_set_again_changes_nothing(sessions: sessionmaker[Session]) -> None:
    instance = facts()
    with transaction(sessions) as session:
        record(session, instance)
    with transaction(sessions) as session:
        again = record(session, instance, now=NOON + timedelta(hours=1))
    assert (again.reception, again.job_id) == (Reception.SAME, None)
    with transaction(sessions, read_only=True) as session:
        assert (count(session, Instance), count(session, Job), count(session, JobEvent)) == (1, 1, 1)
        assert queries.list_studies(session)[0].last_received_at == NOON


def test_another_data_set_under_a_known_uid_never_replaces_the_first(sessions: sessionmaker[Session]) -> None:
    instance = facts()
    with transaction(sessions) as session:
        record(session, instance, sha256="a" * 64)
    with transaction(sessions) as session:
        assert record(session, instance, sha256="c" * 64).reception is Reception.CONFLICT
    with transaction(sessions, read_only=True) as session:
        stored = find_stored(session, instance.sop_instance_uid)
        assert count(session, Job) == 1
    assert stored is not None
    assert stored.sha256 == "a" * 64


def test_instances_of_one_series_share_their_study_and_series_rows(sessions: sessionmaker[Session]) -> None:
    for number in range(3):
        with transaction(sessions) as session:
            record(
                session,
                facts(study_instance_uid="2.25.7", series_instance_uid="2.25.8"),
                now=NOON + timedelta(seconds=number),
            )
    with transaction(sessions, read_only=True) as session:
        assert (count(session, Study), count(session, Series), count(session, Instance)) == (1, 1, 3)
        [study] = queries.list_studies(session)
    assert study.first_received_at == NOON
    assert study.last_received_at == NOON + timedelta(seconds=2)


def test_of_simultaneous_receptions_of_one_instance_exactly_one_is_new(sessions: sessionmaker[Session]) -> None:
    for _ in range(5):
        instance = facts()

        def receive(_: int, instance: object = instance) -> Reception:
            with transaction(sessions) as session:
                return record(session, instance).reception  # type: ignore[arg-type]

        receptions = at_once(8, receive)
        assert sorted(receptions) == [Reception.NEW] + [Reception.SAME] * 7
    with transaction(sessions, read_only=True) as session:
        assert (count(session, Instance), count(session, Job)) == (5, 5)


def test_simultaneous_instances_of_one_new_study_are_all_recorded(sessions: sessionmaker[Session]) -> None:
    def receive(_: int) -> Reception:
        with transaction(sessions) as session:
            return record(session, facts(study_instance_uid="2.25.5", series_instance_uid="2.25.6")).reception

    assert at_once(8, receive) == [Reception.NEW] * 8
    with transaction(sessions, read_only=True) as session:
        assert (count(session, Study), count(session, Series), count(session, Instance)) == (1, 1, 8)


def test_four_processes_write_at_once_and_nothing_is_lost(database_url: str, sessions: sessionmaker[Session]) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.service.registry.writer", database_url, str(number), "40"], cwd=REPOSITORY
        )
        for number in range(4)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
    with transaction(sessions, read_only=True) as session:
        # 40 UIDs of each process's own and 40 that all four send.
        assert (count(session, Study), count(session, Instance), count(session, Job)) == (1, 200, 200)


def test_what_a_peer_made_up_cannot_break_the_record_of_it(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        assert record(session, facts(modality="D\0X" + "X" * 40)).reception is Reception.NEW
        record_rejection(
            session,
            reason_code="UNPARSABLE",
            detail="expected a data set, found \0\0",
            calling_ae_title="MODALITY",
            sop_instance_uid="1." * 60,
            path=None,
            sha256=None,
            now=NOON,
        )
    with transaction(sessions, read_only=True) as session:
        [rejection] = queries.list_rejections(session)
    assert rejection.reason_code == "UNPARSABLE"
    assert "\0" not in rejection.detail
