from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.observability import totals
from service.observability.totals import Totals, count_finished, read_totals
from service.registry import jobs
from tests.service.registry.factories import NOON, claimed, derived_facts, queued_job


def computed(sessions: sessionmaker[Session], *, waited_s: float, took_s: float) -> None:
    """A job that was queued at noon."""
    started = NOON + timedelta(seconds=waited_s)
    claim = claimed(sessions, queued_job(sessions), now=started)
    with transaction(sessions) as session:
        now = started + timedelta(seconds=took_s)
        assert jobs.record_derived(session, claim, derived_facts(), now=now)


def counted(sessions: sessionmaker[Session], at: datetime, owner: str = "network-1") -> int:
    with transaction(sessions) as session:
        return count_finished(session, owner=owner, now=at)


def found(sessions: sessionmaker[Session]) -> Totals:
    with transaction(sessions, read_only=True) as session:
        return read_totals(session)


LATER = NOON + timedelta(hours=1)


def test_times_fall_into_their_buckets(sessions: sessionmaker[Session]) -> None:
    computed(sessions, waited_s=20, took_s=4)
    computed(sessions, waited_s=2, took_s=4)
    counted(sessions, LATER)
    stages = found(sessions).stages
    wait = dict(stages["wait"].buckets)
    assert (wait[1.0], wait[2.5], wait[10.0], wait[30.0], wait[float("inf")]) == (0, 1, 1, 2, 2)
    assert stages["wait"].seconds == 22
    assert dict(stages["compute"].buckets)[5.0] == 2
    assert stages["deliver"].buckets[-1][1] == 0


def test_nothing_is_counted_twice_whoever_counts(sessions: sessionmaker[Session]) -> None:
    computed(sessions, waited_s=20, took_s=4)
    assert counted(sessions, LATER) > 0
    assert counted(sessions, LATER, "network-2") == 0
    computed(sessions, waited_s=20, took_s=4)
    assert counted(sessions, LATER, "network-2") > 0
    assert dict(found(sessions).stages["wait"].buckets)[30.0] == 2


def test_what_does_not_commit_is_counted_the_next_time(sessions: sessionmaker[Session]) -> None:
    computed(sessions, waited_s=20, took_s=4)
    with sessions() as session:
        assert count_finished(session, owner="network-1", now=LATER) > 0
        session.rollback()
    assert counted(sessions, LATER) > 0
    assert dict(found(sessions).stages["wait"].buckets)[30.0] == 1


def test_a_stage_that_lies_across_two_passes_is_counted(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "AT_ONCE", 1)
    computed(sessions, waited_s=20, took_s=4)
    while counted(sessions, LATER):
        pass
    assert dict(found(sessions).stages["wait"].buckets)[30.0] == 1
    assert dict(found(sessions).stages["compute"].buckets)[5.0] == 1


def test_what_is_of_the_last_minute_waits_for_the_next_pass(sessions: sessionmaker[Session]) -> None:
    computed(sessions, waited_s=20, took_s=4)
    assert counted(sessions, NOON + timedelta(seconds=40)) == 0
    counted(sessions, NOON + timedelta(seconds=81))
    assert dict(found(sessions).stages["wait"].buckets)[30.0] == 1
    assert dict(found(sessions).stages["compute"].buckets)[5.0] == 0
    counted(sessions, LATER)
    assert dict(found(sessions).stages["compute"].buckets)[5.0] == 1


def test_outcomes_are_by_model_and_none_where_none_computed(sessions: sessionmaker[Session]) -> None:
    computed(sessions, waited_s=1, took_s=4)
    claim = claimed(sessions, queued_job(sessions))
    with transaction(sessions) as session:
        assert jobs.fail(session, claim, code="OUT_OF_MEMORY", detail="found 1 GiB", now=NOON)
    counted(sessions, LATER)
    assert found(sessions).outcomes == {("bs-ldm-lite", "DERIVED"): 1, ("none", "FAILED"): 1}
