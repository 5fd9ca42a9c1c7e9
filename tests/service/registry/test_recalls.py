"""Recalls in the registry: found, proposed, approved by another person, stopped, told once, done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.errors import PermanentError
from service.registry import deliveries, delivery_queue, jobs, recall_search, recalls, retraction
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.recall_search import AtNode, RecallCriteria, RecallPlan
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.recall_tables import Recall, RecallItem
from service.registry.remote_nodes import remove_remote_node
from service.registry.result_kinds import ResultKind
from service.registry.tables import Job, RemoteNode
from tests.service.registry.factories import (
    LEASE_S,
    NOON,
    add_node,
    claimed,
    claimed_delivery,
    derived_facts,
    detail,
    facts,
    pending,
    record,
    result_facts,
)

Sessions = sessionmaker[Session]
OF_MODEL = RecallCriteria(model_sha256="f" * 64)
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"


def derived(sessions: Sessions, *, study: str = "2.25.1", number: int = 1, source: str = "MODALITY") -> str:
    """A derived job of `study`, waiting to be delivered."""
    with transaction(sessions) as session:
        instance = facts(
            study_instance_uid=study,
            series_instance_uid=f"{study}.2",
            sop_instance_uid=f"{study}.3.{number}",
            calling_ae_title=source,
        )
        job_id = record(session, instance).job_id
    assert job_id is not None
    claim = claimed(sessions, job_id)
    with transaction(sessions) as session:
        made = derived_facts(result_facts(sop_instance_uid=f"{study}.4.{number}"))
        assert jobs.record_derived(session, claim, made, now=NOON)
    return job_id


def send(sessions: Sessions, job_id: str) -> None:
    for delivery_id in pending(sessions, job_id):
        claim = claimed_delivery(sessions, delivery_id)
        with transaction(sessions) as session:
            assert deliveries.delivery_sent(session, claim, status=0, now=NOON)


def proposed(sessions: Sessions, criteria: RecallCriteria = OF_MODEL, by: str = "anna") -> str:
    with transaction(sessions) as session:
        return recalls.propose(session, criteria, RecallReason.PATIENT_SAFETY, "Ribs left.", by=by, now=NOON)


def approved(sessions: Sessions) -> str:
    recall_id = proposed(sessions)
    with transaction(sessions) as session:
        recalls.approve(session, recall_id, by="bert", now=NOON)
    return recall_id


def advance(sessions: Sessions, recall_id: str) -> bool:
    with transaction(sessions) as session:
        return retraction.advance(session, recall_id, now=NOON)


def items(sessions: Sessions, recall_id: str) -> dict[str, RecallItemState]:
    with transaction(sessions, read_only=True) as session:
        return {row.job_id: row.state for row in recalls.list_recall_jobs(session, recall_id)}


def state_of(sessions: Sessions, recall_id: str) -> RecallState:
    with transaction(sessions, read_only=True) as session:
        row = recalls.find_recall(session, recall_id)
    assert row is not None
    return row.state


def notes(sessions: Sessions) -> list[str]:
    with transaction(sessions, read_only=True) as session:
        return list(session.scalars(select(Job.id).where(Job.purpose == JobPurpose.RETRACTION).order_by(Job.id)))


def make_note(sessions: Sessions, note_job_id: str) -> None:
    with transaction(sessions) as session:
        claim = jobs.claim(session, note_job_id, owner="n", lease_s=LEASE_S, now=NOON, purpose=JobPurpose.RETRACTION)
        assert claim is not None
        note = result_facts(kind=ResultKind.RETRACTION, sop_class_uid=KEY_OBJECTS, sop_instance_uid="2.25.99")
        assert jobs.record_derived(session, claim, derived_facts(note), now=NOON)


def test_the_dry_run_counts_what_fits_and_names_it_page_by_page(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    sent, waiting, other = (
        derived(sessions),
        derived(sessions, number=2),
        derived(sessions, study="2.25.8", source="CT"),
    )
    send(sessions, sent)
    with transaction(sessions, read_only=True) as session:
        found = recall_search.plan(session, OF_MODEL)
        assert found == RecallPlan(3, 2, (AtNode("pacs", False, 1, 2),))
        pages, after = [], None
        while page := recall_search.list_candidates(session, OF_MODEL, limit=2, after=after):
            pages.append([row.job_id for row in page])
            after = recalls.Key(page[-1].job_id, page[-1].received_at)
        assert sorted(job_id for page in pages for job_id in page) == sorted([sent, waiting, other])
        assert [len(page) for page in pages] == [2, 1]
        for criteria, jobs_found in (
            (RecallCriteria(source="CT"), 1),
            (RecallCriteria(source="CT", received_from=NOON + timedelta(seconds=1)), 0),
            (RecallCriteria(received_until=NOON + timedelta(seconds=1)), 3),
            (RecallCriteria(model_sha256="0" * 64), 0),
            (RecallCriteria(service_version="0.1.0"), 0),
        ):
            assert recall_search.plan(session, criteria).jobs == jobs_found, criteria
        with pytest.raises(PermanentError, match="RECALL_NO_CRITERION"):
            recall_search.plan(session, RecallCriteria())


def test_a_job_is_in_one_recall_at_a_time_and_free_again_when_the_proposal_is_withdrawn(sessions: Sessions) -> None:
    derived(sessions)
    first = proposed(sessions)
    with pytest.raises(PermanentError, match="RECALL_FINDS_NOTHING"):
        proposed(sessions)
    with transaction(sessions) as session:
        recalls.withdraw(session, first, now=NOON)
    assert state_of(sessions, first) is RecallState.WITHDRAWN
    assert len(items(sessions, proposed(sessions))) == 1
    with transaction(sessions, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Recall)) == 2  # what found nothing left no row


@pytest.mark.parametrize("same", ["anna", "Anna", " anna "])
def test_who_proposed_a_recall_cannot_approve_it(sessions: Sessions, same: str) -> None:
    job_id = derived(sessions)
    recall_id = proposed(sessions)
    with pytest.raises(recalls.RecallRefusedError, match="RECALL_SAME_PERSON"), transaction(sessions) as session:
        recalls.approve(session, recall_id, by=same, now=NOON)
    assert state_of(sessions, recall_id) is RecallState.PROPOSED
    assert not advance(sessions, recall_id)
    assert items(sessions, recall_id) == {job_id: RecallItemState.LISTED}


def test_the_database_itself_refuses_one_person_for_both(sessions: Sessions) -> None:
    derived(sessions)
    recall_id = proposed(sessions)
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(update(Recall).where(Recall.id == recall_id).values(approved_by="anna"))


def test_a_recall_is_approved_once(sessions: Sessions) -> None:
    derived(sessions)
    recall_id = approved(sessions)
    with pytest.raises(recalls.RecallRefusedError, match="RECALL_NOT_PROPOSED"), transaction(sessions) as session:
        recalls.approve(session, recall_id, by="carl", now=NOON)
    with pytest.raises(recalls.RecallRefusedError, match="RECALL_UNKNOWN"), transaction(sessions) as session:
        recalls.approve(session, "none", by="carl", now=NOON)


def test_from_the_approval_on_nothing_is_sent_even_before_a_worker_has_begun(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    job_id = derived(sessions)
    [delivery_id] = pending(sessions, job_id)
    recall_id = approved(sessions)
    with transaction(sessions) as session:
        claim = delivery_queue.claim_next_delivery(session, delivery_id, owner="n", lease_s=LEASE_S, now=NOON)
    assert claim is None
    found = detail(sessions, job_id)
    assert (found.summary.state, found.summary.reason_code) == (JobState.CANCELLED, "RECALLED")
    assert [row.state for row in found.deliveries] == [DeliveryState.CANCELLED]
    assert advance(sessions, recall_id)
    assert items(sessions, recall_id) == {job_id: RecallItemState.UNSENT}
    assert (state_of(sessions, recall_id), notes(sessions)) == (RecallState.DONE, [])


def test_what_is_recalled_cannot_be_retried(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    job_id = derived(sessions)
    advance(sessions, approved(sessions))
    with pytest.raises(jobs.NotRetryableError, match="JOB_RECALLED"), transaction(sessions) as session:
        jobs.retry(session, job_id, now=NOON)


def test_one_note_of_a_study_waits_for_what_is_under_way_and_goes_where_the_results_went(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    add_node(sessions, "archive")
    sent, under_way = derived(sessions), derived(sessions, number=2)
    send(sessions, sent)
    claims = [claimed_delivery(sessions, one) for one in pending(sessions, under_way)]
    recall_id = approved(sessions)
    assert not advance(sessions, recall_id)
    assert items(sessions, recall_id) == {sent: RecallItemState.STOPPED, under_way: RecallItemState.LISTED}
    assert notes(sessions) == []
    with transaction(sessions) as session:  # one arrives after all; the other would be tried again, but is not
        assert deliveries.delivery_sent(session, claims[0], status=0, now=NOON)
        assert deliveries.delivery_postponed(
            session, claims[1], code="TIMEOUT", detail="", not_before=None, status=None, now=NOON
        )
    add_node(sessions, "later")  # has nothing of it
    with transaction(sessions) as session:
        session.execute(update(RemoteNode).where(RemoteNode.name == "archive").values(receives_results=False))
    for _ in range(2):
        assert not advance(sessions, recall_id)
    [note] = notes(sessions)
    assert set(items(sessions, recall_id).values()) == {RecallItemState.RETRACTING}
    with transaction(sessions, read_only=True) as session:
        made_of = retraction.note_facts(session, note)
    assert [one.sop_instance_uid for one in made_of.results] == ["2.25.1.4.1", "2.25.1.4.2"]
    make_note(sessions, note)
    assert sorted(row.remote_node for row in detail(sessions, note).deliveries) == ["archive", "pacs"]
    send(sessions, note)
    assert advance(sessions, recall_id)
    assert set(items(sessions, recall_id).values()) == {RecallItemState.RETRACTED}
    assert state_of(sessions, recall_id) is RecallState.DONE
    assert not advance(sessions, recall_id)
    told = detail(sessions, sent).summary
    assert (told.state, told.reason_code) == (JobState.DELIVERED, "RECALLED")


def test_each_study_has_a_note_of_its_own(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    for study in ("2.25.1", "2.25.8"):
        send(sessions, derived(sessions, study=study))
    advance(sessions, approved(sessions))
    assert len(notes(sessions)) == 2


def test_a_node_that_was_removed_is_named_and_not_waited_for(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    job_id = derived(sessions)
    send(sessions, job_id)
    with transaction(sessions) as session:
        remove_remote_node(session, "pacs", now=NOON)
    recall_id = approved(sessions)
    assert advance(sessions, recall_id)
    assert items(sessions, recall_id) == {job_id: RecallItemState.UNREACHABLE}
    with transaction(sessions, read_only=True) as session:
        assert recalls.recalled_at_nodes(session, recall_id) == (AtNode("pacs", True, 1, 0),)


def test_a_note_that_no_node_takes_keeps_the_recall_open(sessions: Sessions) -> None:
    add_node(sessions, "pacs")
    job_id = derived(sessions)
    send(sessions, job_id)
    recall_id = approved(sessions)
    advance(sessions, recall_id)
    [note] = notes(sessions)
    make_note(sessions, note)
    [delivery_id] = pending(sessions, note)
    claim = claimed_delivery(sessions, delivery_id)
    with transaction(sessions) as session:
        deliveries.delivery_failed(session, claim, code="REFUSED_BY_PEER", detail="", status=0x0122, now=NOON)
    assert not advance(sessions, recall_id)
    assert state_of(sessions, recall_id) is RecallState.RETRACTING
    with transaction(sessions, read_only=True) as session:
        [row] = recalls.list_recall_jobs(session, recall_id)
    assert (row.job_id, row.note_state) == (job_id, JobState.FAILED)
    with transaction(sessions) as session:
        jobs.retry(session, note, now=NOON)
    send(sessions, note)
    assert advance(sessions, recall_id)


def test_items_are_listed_by_the_rows_of_the_recall_alone(sessions: Sessions) -> None:
    derived(sessions)
    recall_id = proposed(sessions)
    with transaction(sessions, read_only=True) as session:
        assert recalls.list_recalls(session)[0].recall_id == recall_id
        assert session.scalar(select(func.count()).select_from(RecallItem)) == 1
