"""Which job a worker takes: the most urgent, fair between sources, then the oldest; no two workers the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.priorities import Priority
from service.registry import jobs
from service.registry.due_jobs import due_jobs
from service.registry.instance_facts import Verdict
from service.registry.instances import record_instance
from service.registry.job_states import JobPurpose, JobState
from service.registry.next_job import PRIOR_SHARE, claim_next, order_of_classes
from service.registry.tables import Job
from service.registry.turns import make_due
from tests.service.registry.factories import LATER, LEASE_S, NOON, at_once, facts


def wait_in_line(
    sessions: sessionmaker[Session],
    source: str = "XRAY1",
    priority: Priority = Priority.ROUTINE,
    *,
    second: int = 0,
) -> str:
    """A job of an image that `source` sends `second` seconds past noon."""
    with transaction(sessions) as session:
        recorded = record_instance(
            session,
            facts(calling_ae_title=source),
            Verdict(),
            path="source/aa/a.dcm",
            sha256="a" * 64,
            size_bytes=8,
            now=NOON + timedelta(seconds=second),
            priority=priority,
        )
    assert recorded.job_id is not None
    return recorded.job_id


def taken(sessions: sessionmaker[Session], *, chance: float = 0.5, now: datetime = LATER) -> str | None:
    with transaction(sessions) as session:
        claim = claim_next(session, owner="gpu", lease_s=LEASE_S, now=now, chance=chance)
    return None if claim is None else claim.job_id


def test_stat_goes_before_routine_and_routine_before_priors(sessions: sessionmaker[Session]) -> None:
    prior = wait_in_line(sessions, priority=Priority.PRIOR, second=0)
    routine = wait_in_line(sessions, second=1)
    stat = wait_in_line(sessions, priority=Priority.STAT, second=2)
    assert [taken(sessions) for _ in range(4)] == [stat, routine, prior, None]


def test_one_image_of_another_source_does_not_wait_for_a_flood(sessions: sessionmaker[Session]) -> None:
    flood = [wait_in_line(sessions, "FLOOD", second=n) for n in range(30)]
    single = wait_in_line(sessions, "QUIET", second=60)
    assert [taken(sessions) for _ in range(3)] == [flood[0], single, flood[1]]


def test_sources_that_all_have_much_take_turns_and_keep_their_own_order(sessions: sessionmaker[Session]) -> None:
    flood = [wait_in_line(sessions, "FLOOD", second=n) for n in range(6)]
    other = [wait_in_line(sessions, "OTHER", second=10 + n) for n in range(3)]
    order = [taken(sessions) for _ in range(9)]
    assert order == [flood[0], other[0], flood[1], other[1], flood[2], other[2], *flood[3:]]


def test_a_source_that_sends_one_by_one_is_not_punished_for_what_it_was_given(sessions: sessionmaker[Session]) -> None:
    flood = [wait_in_line(sessions, "FLOOD", second=n) for n in range(8)]
    order = []
    for second in range(3):
        steady = wait_in_line(sessions, "STEADY", second=20 + second)
        order += [taken(sessions) == flood[second], taken(sessions) == steady]
    assert order == [True] * 6


def test_priors_get_their_share_of_a_flow_of_routine_images_and_never_before_stat() -> None:
    draws = [n / 1000 for n in range(1000)]
    first_of_both = [order_of_classes(chance)[1] for chance in draws]
    assert {order_of_classes(chance)[0] for chance in draws} == {Priority.STAT}
    assert first_of_both.count(Priority.PRIOR) == int(1000 * PRIOR_SHARE)


def test_a_prior_is_taken_while_routine_images_wait_when_the_draw_says_so(sessions: sessionmaker[Session]) -> None:
    wait_in_line(sessions)
    prior = wait_in_line(sessions, priority=Priority.PRIOR)
    assert taken(sessions, chance=PRIOR_SHARE / 2) == prior


def test_a_job_that_waits_for_its_time_is_passed_over_and_takes_its_turn_when_it_has_come(
    sessions: sessionmaker[Session],
) -> None:
    postponed, other = wait_in_line(sessions, second=0), wait_in_line(sessions, second=1)
    with transaction(sessions) as session:
        claim = jobs.claim(session, postponed, owner="gpu", lease_s=LEASE_S, now=NOON)
        assert claim is not None
        in_an_hour = NOON + timedelta(hours=1)
        assert jobs.release(session, claim, code="OUT_OF_MEMORY", detail="", not_before=in_an_hour, now=NOON)
    assert taken(sessions) == other
    assert taken(sessions) is None
    assert taken(sessions, now=in_an_hour) == postponed


def test_the_job_of_a_dead_worker_is_taken_by_the_message_about_it(sessions: sessionmaker[Session]) -> None:
    job_id = wait_in_line(sessions)
    assert taken(sessions, now=NOON) == job_id
    with transaction(sessions) as session:
        again = claim_next(session, owner="gpu-2", lease_s=LEASE_S, now=LATER, chance=0.5, hinted=job_id)
    assert again is not None
    assert (again.job_id, again.attempts) == (job_id, 2)


def test_workers_that_ask_at_once_all_get_a_job_and_none_the_same(sessions: sessionmaker[Session]) -> None:
    waiting = {wait_in_line(sessions, f"XRAY{n % 3}") for n in range(16)}
    found = at_once(8, lambda _: [taken(sessions), taken(sessions)])
    assert sorted(job for pair in found for job in pair if job) == sorted(waiting)


@pytest.mark.interop
@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_worker_in_the_middle_of_its_claim_holds_up_no_other(sessions: sessionmaker[Session]) -> None:
    wait_in_line(sessions, second=0)
    second = wait_in_line(sessions, second=1)
    with transaction(sessions) as slow:
        assert claim_next(slow, owner="slow", lease_s=LEASE_S, now=LATER, chance=0.5) is not None
        assert taken(sessions) == second


def fill_postgresql(sessions: sessionmaker[Session], engine: Engine, queued: int, finished: int) -> None:
    """So many rows that reading all of them would be dear; PostgreSQL would not use an index for a few."""
    sources = cycle(("XRAY1", "XRAY2", "XRAY3"))
    with transaction(sessions) as session:
        for constraint in ("uq_jobs_instance_id_purpose", "fk_jobs_instance_id"):  # the rows point to no instance
            session.execute(text(f"ALTER TABLE jobs DROP CONSTRAINT {constraint}"))
        session.execute(
            insert(Job),
            [
                {
                    "id": f"job-{number}",
                    "instance_id": -number,
                    "purpose": JobPurpose.SUPPRESS,
                    "state": JobState.QUEUED if number < queued else JobState.COMMITTED,
                    "priority": Priority.ROUTINE,
                    "source": next(sources),
                    "turn": number // 3,
                    "attempts": 0,
                    "fencing_token": 0,
                    "step": 0,
                    "total_steps": 0,
                    "not_before": None if number % 2 == 0 else LATER + timedelta(hours=1),
                    "created_at": NOON,
                    "updated_at": NOON,
                }
                for number in range(queued + finished)
            ],
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE jobs"))


def test_the_next_job_and_the_sweep_are_found_by_index(engine: Engine, sessions: sessionmaker[Session]) -> None:
    if engine.dialect.name == "postgresql":
        fill_postgresql(sessions, engine, 4000, 16000)
    asked: list[tuple[str, object]] = []

    def remember(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.startswith("SELECT") and "FROM jobs" in statement:
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    with transaction(sessions) as session:
        make_due(session, JobPurpose.SUPPRESS, Priority.ROUTINE, now=LATER)
        claim_next(session, owner="gpu", lease_s=LEASE_S, now=LATER, chance=0.5)
        due_jobs(session, LATER, 50)
    wait_in_line(sessions)
    event.remove(engine, "before_cursor_execute", remember)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]
            plan = "\n".join(str(tuple(row)) for row in rows)
            assert "SCAN jobs" not in plan, (statement, plan)
            assert "Seq Scan on jobs" not in plan, (statement, plan)
            if "LIMIT" in statement and "turn" in statement:
                assert "ix_jobs_turns" in plan, (statement, plan)
                assert "TEMP B-TREE" not in plan, (statement, plan)
                assert "Sort" not in plan, (statement, plan)
    assert len(asked) >= 6
