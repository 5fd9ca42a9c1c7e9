"""What retention may remove: only what has done its duty, never what somebody may still need."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import commitment_promises, deliveries, jobs, kept_files, retention
from service.registry.instances import Reception, Verdict
from service.registry.job_states import DeliveryState, JobState
from service.registry.kept_files import Naming
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.registry.tables import Delivery, Instance, Job, Result
from tests.service.registry.factories import (
    NOON,
    add_node,
    claimed,
    claimed_delivery,
    derived_facts,
    derived_job,
    facts,
    pending,
    queued_job,
    record,
    result_facts,
)

MUCH_LATER = NOON + timedelta(days=100)


def delivered_job(sessions: sessionmaker[Session], *, proof_asked: bool = False) -> str:
    if proof_asked:
        with transaction(sessions) as session:
            add_remote_node(
                session,
                name="archive",
                ae_title="ARCHIVE",
                host="127.0.0.1",
                port=104,
                may_send=False,
                receives_results=True,
                now=NOON,
                terms=DeliveryTerms(requests_commitment=True),
            )
    else:
        add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    for delivery_id in pending(sessions, job_id):
        claim = claimed_delivery(sessions, delivery_id)
        with transaction(sessions) as session:
            assert deliveries.delivery_sent(session, claim, status=0, now=NOON)
    return job_id


def sources(
    sessions: sessionmaker[Session], *, before: datetime | None = MUCH_LATER, limit: int = 100, position: str = ""
) -> retention.Window:
    with transaction(sessions) as session:
        return retention.mark_sources(
            session, position=position, delivered_before=before, refused_before=before, now=MUCH_LATER, limit=limit
        )


def results(sessions: sessionmaker[Session]) -> tuple[str, ...]:
    with transaction(sessions) as session:
        return retention.mark_results(
            session, position="", delivered_before=MUCH_LATER, now=MUCH_LATER, limit=100
        ).paths


def previews(sessions: sessionmaker[Session]) -> tuple[str, ...]:
    with transaction(sessions) as session:
        return retention.mark_previews(
            session, position="", delivered_before=MUCH_LATER, now=MUCH_LATER, limit=100
        ).paths


def test_what_was_delivered_goes_once_with_all_that_was_made_of_it(sessions: sessionmaker[Session]) -> None:
    delivered_job(sessions)
    assert len(sources(sessions).paths) == 1
    assert results(sessions) == ("derived/bb/b.dcm",)
    assert len(previews(sessions)) == 3
    assert sources(sessions).paths == results(sessions) == previews(sessions) == ()
    with transaction(sessions) as session:
        assert session.query(Instance).one().file_removed_at == MUCH_LATER


def test_what_is_younger_or_kept_for_ever_stays(sessions: sessionmaker[Session]) -> None:
    delivered_job(sessions)
    assert sources(sessions, before=NOON - timedelta(seconds=1)).paths == ()
    assert sources(sessions, before=None).paths == ()


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.DERIVED, JobState.FAILED])
def test_a_job_that_is_under_way_or_has_failed_keeps_its_files(
    sessions: sessionmaker[Session], state: JobState
) -> None:
    job_id = derived_job(sessions)
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == job_id).values(state=state))
    assert sources(sessions).paths == results(sessions) == previews(sessions) == ()


def test_what_proof_is_asked_for_stays_until_it_is_given(sessions: sessionmaker[Session]) -> None:
    job_id = delivered_job(sessions, proof_asked=True)
    assert sources(sessions).paths == results(sessions) == previews(sessions) == ()
    with transaction(sessions) as session:
        session.execute(update(Delivery).values(state=DeliveryState.COMMITTED))
        session.execute(update(Job).where(Job.id == job_id).values(state=JobState.COMMITTED))
    assert len(sources(sessions).paths) == len(results(sessions)) == 1


def test_a_refused_instance_goes_but_not_while_its_notice_is_under_way(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        record(session, reason_code="NOT_CHEST")
        record(session, verdict=Verdict("NOT_CHEST", "found a knee", notice=True), sha256="e" * 64)
    assert sources(sessions).paths == (f"source/aa/{'a' * 64}.dcm",)


def test_what_we_committed_to_stays_for_good(sessions: sessionmaker[Session]) -> None:
    delivered_job(sessions)
    with transaction(sessions) as session:
        uid = session.query(Instance).one().sop_instance_uid
        assert commitment_promises.hold(session, [uid, "1.2.3"], now=NOON) == {uid}
    assert sources(sessions).paths == ()


def test_what_was_removed_is_not_committed_to(sessions: sessionmaker[Session]) -> None:
    delivered_job(sessions)
    sources(sessions)
    with transaction(sessions) as session:
        uid = session.query(Instance).one().sop_instance_uid
        assert commitment_promises.hold(session, [uid], now=NOON) == set()
        assert commitment_promises.held_instance(session, uid) is None


def test_an_instance_that_is_sent_again_after_its_removal_is_kept_as_long_again(
    sessions: sessionmaker[Session],
) -> None:
    image = facts()
    with transaction(sessions) as session:
        record(session, image, reason_code="NOT_CHEST")
    [path] = sources(sessions).paths
    with transaction(sessions) as session:
        assert kept_files.naming_of(session, [path]) == {path: Naming.REMOVED}
        later = MUCH_LATER + timedelta(days=1)
        assert record(session, image, reason_code="NOT_CHEST", now=later).reception is Reception.SAME
        assert kept_files.naming_of(session, [path]) == {path: Naming.WANTED}
    assert sources(sessions).paths == ()


def test_a_file_of_two_rows_is_wanted_until_both_let_go(sessions: sessionmaker[Session]) -> None:
    derived_job(sessions)
    add_node(sessions, "pacs")
    with transaction(sessions) as session:
        session.execute(update(Result).values(path="derived/bb/shared.dcm"))
    derived_job(sessions)
    with transaction(sessions) as session:
        session.execute(update(Result).values(path="derived/bb/shared.dcm"))
        first = session.query(Result).order_by(Result.id).first()
        assert first is not None
        first.file_removed_at = NOON
        session.flush()
        assert kept_files.is_wanted(session, "derived/bb/shared.dcm")
        session.execute(update(Result).values(file_removed_at=NOON))
        assert not kept_files.is_wanted(session, "derived/bb/shared.dcm")


def test_what_stays_for_ever_is_passed_by(sessions: sessionmaker[Session]) -> None:
    for number in range(4):
        queued_job(sessions)
        with transaction(sessions) as session:
            record(session, reason_code="NOT_CHEST", sha256=f"{number}" * 64)
    position: str | None = ""
    found = []
    passes = 0
    while position is not None:
        window = sources(sessions, limit=3, position=position)
        position, passes = window.position, passes + 1
        found += window.paths
    assert (len(found), passes) == (4, 3)


def test_the_fault_of_a_file_that_nobody_needs_any_more_ends_with_its_retention(
    sessions: sessionmaker[Session],
) -> None:
    delivered_job(sessions)
    with transaction(sessions) as session:
        [source] = kept_files.next_kept(session, kept_files.Table.SOURCE, 0, 10)
        [result] = kept_files.next_kept(session, kept_files.Table.DERIVED, 0, 10)
        assert kept_files.record_fault(session, source, "STORED_FILE_MISSING", now=NOON)
        assert kept_files.record_fault(session, result, "STORED_FILE_ALTERED", now=NOON)
    assert sources(sessions).paths == (source.path,)
    assert results(sessions) == (result.path,)
    with transaction(sessions) as session:
        assert kept_files.count_faults(session) == {}
        assert kept_files.faulty_files(session) == []


def test_a_lost_source_fails_the_job_that_waits_for_it_only(sessions: sessionmaker[Session]) -> None:
    waiting, running = queued_job(sessions), queued_job(sessions)
    claimed(sessions, running)
    with transaction(sessions) as session:
        first, second = kept_files.next_kept(session, kept_files.Table.SOURCE, 0, 10)
        assert kept_files.waiting_jobs(session, first) == [waiting]
        assert kept_files.waiting_jobs(session, second) == []
        assert kept_files.record_fault(session, first, "STORED_FILE_MISSING", now=NOON)
        assert not kept_files.record_fault(session, first, "STORED_FILE_MISSING", now=NOON)
        assert kept_files.count_faults(session) == {("source", "STORED_FILE_MISSING"): 1}
        assert kept_files.record_fault(session, first, None, now=NOON)
        assert kept_files.count_faults(session) == {}


def test_what_is_computed_again_takes_the_row_and_the_failed_deliveries_of_what_was_lost(
    sessions: sessionmaker[Session],
) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    [delivery_id] = pending(sessions, job_id)
    claim = claimed_delivery(sessions, delivery_id)
    with transaction(sessions) as session:
        deliveries.delivery_failed(session, claim, code="STORED_FILE_MISSING", detail="", status=None, now=NOON)
        assert jobs.retry(session, job_id, now=NOON, recompute=True) is JobState.QUEUED
    again = claimed(sessions, job_id)
    with transaction(sessions) as session:
        made = derived_facts(result_facts(path="derived/cc/new.dcm", sha256="c" * 64))
        assert jobs.record_derived(session, again, made, now=NOON)
    with transaction(sessions) as session:
        assert session.query(Result).one().path == "derived/cc/new.dcm"
    assert pending(sessions, job_id) == [delivery_id]


def test_pictures_of_what_is_computed_again_are_there_again(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    job_id = derived_job(sessions)
    claim = claimed_delivery(sessions, pending(sessions, job_id)[0])
    with transaction(sessions) as session:
        deliveries.delivery_failed(session, claim, code="STORED_FILE_MISSING", detail="", status=None, now=NOON)
        session.execute(update(Job).values(previews_removed_at=NOON))
        jobs.retry(session, job_id, now=NOON, recompute=True)
    again = claimed(sessions, job_id)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, again, derived_facts(), now=NOON)
    with transaction(sessions, read_only=True) as session:
        assert kept_files.is_wanted(session, "preview/cc/c.png")
