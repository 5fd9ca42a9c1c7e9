"""Whatever workers, sweepers and operators do in whatever order, a job's row and its history agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import deliveries, delivery_queue, jobs
from service.registry.claims import Claim, DeliveryClaim
from service.registry.due_jobs import due_jobs
from service.registry.job_states import TRANSITIONS, DeliveryState, JobState
from service.registry.read_models import ResultRow
from service.registry.tables import Delivery, Job, JobEvent
from tests.service.registry.factories import LEASE_S, NOON, add_node, derived_facts, detail, queued_job

ACTIONS = ("claim", "renew", "derive", "release", "fail", "retry", "sweep", "claim_delivery", "send", "refuse")
LIVELY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Actors:
    """Workers that remember every claim they ever got, and use any of them, late or early."""

    def __init__(self, sessions: sessionmaker[Session], job_id: str) -> None:
        self.sessions = sessions
        self.job_id = job_id
        self.now = NOON
        self.claims: list[Claim] = []
        self.delivery_claims: list[DeliveryClaim] = []

    def act(self, action: str, which: int, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        claim = self.claims[which % len(self.claims)] if self.claims else None
        delivery = self.delivery_claims[which % len(self.delivery_claims)] if self.delivery_claims else None
        try:
            with transaction(self.sessions) as session:
                self._act(session, action, claim, delivery)
        except jobs.NotRetryableError:
            return

    def _act(self, session: Session, action: str, claim: Claim | None, delivery: DeliveryClaim | None) -> None:
        now = self.now
        match action:
            case "claim":
                got = jobs.claim(session, self.job_id, owner="gpu", lease_s=LEASE_S, now=now)
                self.claims += [got] if got else []
            case "retry":
                jobs.retry(session, self.job_id, now=now)
            case "sweep":
                due_jobs(session, now, 10)
                delivery_queue.due_deliveries(session, now, 10)
            case "claim_delivery":
                for delivery_id in session.scalars(select(Delivery.id).where(Delivery.job_id == self.job_id)).all():
                    sending = deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=LEASE_S, now=now)
                    self.delivery_claims += [sending] if sending else []
            case "renew" if claim:
                jobs.renew(session, claim, lease_s=LEASE_S, step=1, total_steps=2, now=now)
            case "derive" if claim:
                jobs.record_derived(session, claim, derived_facts(), now=now)
            case "release" if claim:
                jobs.release(session, claim, code="TRY", detail="again", not_before=None, now=now)
            case "fail" if claim:
                jobs.fail(session, claim, code="BAD", detail="pixels", now=now)
            case "send" if delivery:
                deliveries.delivery_sent(session, delivery, status=0, now=now)
            case "refuse" if delivery:
                deliveries.delivery_failed(session, delivery, code="NO", detail="", status=0xA900, now=now)


@pytest.fixture
def with_a_pacs(sessions: sessionmaker[Session]) -> Iterator[sessionmaker[Session]]:
    add_node(sessions, "pacs")
    return sessions


@LIVELY
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5), st.sampled_from([0, 1, 20, 40])),
        min_size=5,
        max_size=25,
    )
)
def test_row_and_history_agree_and_only_the_tables_transitions_happen(
    with_a_pacs: sessionmaker[Session], steps: list[tuple[str, int, int]]
) -> None:
    with transaction(with_a_pacs) as session:  # what the example before left in the node's hands
        session.execute(update(Delivery).values(state=DeliveryState.FAILED))
    actors = Actors(with_a_pacs, queued_job(with_a_pacs))
    derived_once: tuple[ResultRow, ...] = ()
    for step in steps:
        actors.act(*step)
        with transaction(with_a_pacs, read_only=True) as session:
            job = session.get(Job, actors.job_id)
            assert job is not None
            changes = session.execute(
                select(JobEvent.from_state, JobEvent.to_state)
                .where(JobEvent.job_id == actors.job_id, JobEvent.to_state.is_not(None))
                .order_by(JobEvent.id)
            ).all()
        assert job.state is changes[-1].to_state
        for before, after in pairwise(changes):
            assert after.from_state is before.to_state
            assert after.to_state in TRANSITIONS[before.to_state]
        assert (job.state is JobState.RUNNING) == (job.lease_owner is not None)
        # What was derived stays derived: a second inference must never replace what may already be in a PACS.
        results = detail(with_a_pacs, actors.job_id).results
        derived_once = derived_once or results
        assert results == derived_once
        assert (
            sum(change.to_state is JobState.DERIVED and change.from_state is JobState.RUNNING for change in changes)
            <= 1
        )
    tokens = [claim.fencing_token for claim in actors.claims]
    assert tokens == sorted(set(tokens))
