"""What an image costs does not grow with the images before it: every statement on its way finds its rows by index.

Said by SQLite and PostgreSQL themselves, over a registry that is full of finished images. On PostgreSQL the rows that a
statement read are counted as well: an index that is read from end to end is a scan, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import (
    circuit_breaker,
    commitment_promises,
    commitments,
    deliveries,
    delivery_queue,
    jobs,
    queries,
)
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_plan import plan_requests
from service.registry.commitment_reports import record_report
from service.registry.counts import count_everything
from service.registry.due_jobs import due_jobs
from service.registry.exposures import FOR_PROCESSING, reinstate_siblings
from service.registry.instances import Verdict, find_stored, record_rejection
from service.registry.job_search import JobFilter
from service.registry.job_states import JobPurpose, JobState
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.routing import Routing
from tests.service.registry.asked import in_one_transaction, reads_of, sorts_everything, statements_of
from tests.service.registry.factories import LEASE_S, NOON, derived_facts, facts, record, result_facts
from tests.service.registry.filled_registry import fill

IMAGES = 20_000
FEW_ROWS = 500
"""More than any step of an image needs, far fewer than there are."""

Sessions = sessionmaker[Session]


@pytest.fixture
def filled(engine: Engine, sessions: Sessions) -> Sessions:
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name="archive",
            ae_title="ARCHIVE",
            host="archive.example",
            port=104,
            may_send=True,
            receives_results=True,
            now=NOON,
            terms=DeliveryTerms(requests_commitment=True, verifies=True),
        )
    fill(engine, IMAGES)
    return sessions


def the_way_of_an_image(sessions: Sessions) -> None:
    """From its arrival to its proof, with all that is asked meanwhile; then one that fails, and one refused."""
    soon = NOON + timedelta(seconds=10)
    exposure = {"study_instance_uid": "2.25.811", "irradiation_event_uid": "2.25.841"}
    with transaction(sessions) as session:
        jobs.queue_depth(session, 1000)
        find_stored(session, "2.25.831")
        record(session, facts(sop_class_uid=FOR_PROCESSING, **exposure), verdict=Verdict())
        job_id = record(session, facts(**exposure)).job_id
        failing = record(session, facts(**exposure)).job_id
        record_rejection(
            session,
            reason_code="DUPLICATE_UID",
            detail="",
            calling_ae_title="MODALITY",
            sop_instance_uid="2.25.831",
            path=None,
            sha256=None,
            now=NOON,
        )
    assert job_id is not None
    assert failing is not None
    with transaction(sessions) as session:
        claim = jobs.claim(session, job_id, owner="gpu", lease_s=LEASE_S, now=NOON)
        assert claim is not None
        assert jobs.renew(session, claim, lease_s=LEASE_S, step=1, total_steps=1, now=NOON)
        assert jobs.record_derived(session, claim, derived_facts(result_facts(sop_instance_uid="2.25.99")), now=NOON)
        doomed = jobs.claim(session, failing, owner="gpu", lease_s=LEASE_S, now=NOON)
        assert doomed is not None
        assert jobs.fail(session, doomed, code="PIXELS_UNREADABLE", detail="", now=NOON)
        reinstate_siblings(session, failing, now=NOON)
        [delivery_id] = delivery_queue.pending_deliveries(session, job_id, now=NOON)
    with transaction(sessions) as session:
        sending = deliveries.claim_delivery(session, delivery_id, owner="network", lease_s=LEASE_S, now=NOON)
        assert sending is not None
        assert deliveries.renew_delivery(session, sending, lease_s=LEASE_S, now=NOON)
        circuit_breaker.node_answered(session, sending.node.remote_node_id)
        assert deliveries.delivery_sent(session, sending, status=0, now=NOON)
        delivery_queue.next_delivery(session, sending.node.remote_node_id, now=NOON)
    with transaction(sessions) as session:
        planned = plan_requests(session, CommitmentPolicy(), now=soon)
        assert set(planned) <= set(commitments.due_requests(session, now=soon, limit=100))
        asking = commitments.claim_request(session, planned[-1], owner="network", lease_s=LEASE_S, now=soon)
        assert asking is not None
        assert commitments.request_accepted(session, asking, timeout_s=60, now=soon)
        kept = {instance.sop_instance_uid for instance in asking.instances}
        record_report(
            session,
            asking.transaction_uid,
            reporting_ae_title="ARCHIVE",
            committed=kept,
            failed={},
            most_resends=3,
            now=soon,
        )
        commitment_promises.record_promise(session, "ARCHIVE", "2.25.98", [("1.2", "2.25.831")], now=soon)
        commitment_promises.due_promises(session, now=soon, limit=20)
        commitment_promises.held_instance(session, "2.25.831")


def the_sweep(sessions: Sessions) -> None:
    """What is asked every few seconds, whether or not there is anything to do."""
    later = NOON + timedelta(hours=1)
    with transaction(sessions) as session:
        delivery_queue.ensure_deliveries(session, now=later, routing=Routing())
        for purpose in JobPurpose:
            due_jobs(session, later, 50, purpose=purpose)
        delivery_queue.due_deliveries(session, later, 50)
        commitments.due_requests(session, now=later, limit=20)
        commitment_promises.due_promises(session, now=later, limit=20)


@pytest.mark.parametrize("act", [the_way_of_an_image, the_sweep])
def test_no_step_of_an_image_reads_the_images_before_it(
    engine: Engine, filled: Sessions, act: Callable[[Sessions], None]
) -> None:
    if act is the_sweep:
        _leave_the_proof_of_what_was_filled(filled)
    asked = statements_of(engine, lambda: act(filled))
    assert len(asked) > 5
    for one in asked:
        for read in reads_of(engine, one):
            assert not read.whole_table, f"{read.table} is read whole by: {one.statement}"
            assert not read.whole_index, f"an index of {read.table} is read whole by: {one.statement}"
            assert (read.rows or 0) <= FEW_ROWS, f"{read.rows} rows of {read.table} are read by: {one.statement}"


def _leave_the_proof_of_what_was_filled(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        session.execute(deliveries.Delivery.__table__.update().values(commitment_request_id=1))


PAGES: tuple[Callable[[Session], object], ...] = (
    lambda session: queries.list_jobs(session),
    lambda session: queries.list_jobs(session, JobFilter(state=JobState.FAILED)),
    lambda session: queries.list_studies(session),
    lambda session: queries.list_rejections(session),
    lambda session: queries.job_detail(session, "job-7"),
    lambda session: queries.study_detail(session, "2.25.817"),
)


def test_a_page_reads_what_it_shows(engine: Engine, filled: Sessions) -> None:
    for page in PAGES:
        for one in statements_of(engine, in_one_transaction(filled, page)):
            assert not sorts_everything(engine, one), f"all rows are sorted by: {one.statement}"
            for read in reads_of(engine, one):
                assert (read.rows or 0) <= FEW_ROWS, f"{read.rows} rows of {read.table} are read by: {one.statement}"


def test_what_is_counted_is_counted_in_an_index(engine: Engine, filled: Sessions) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("the planner may prefer the table to an index of nearly its size, and both are read whole")
    for count in (count_everything, queries.counts_by_state):
        for one in statements_of(engine, in_one_transaction(filled, count)):
            for read in reads_of(engine, one):
                assert not read.whole_table, f"{read.table} is read whole by: {one.statement}"
