"""Keeping a claim alive, and noticing its loss."""

from __future__ import annotations

import time

import pytest

from worker.errors import DeadlineExceededError, LeaseLostError
from worker.lease import Lease


def wait_until(condition: object, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return
        time.sleep(0.01)
    pytest.fail("the condition did not come true")


def test_a_lease_is_renewed_while_the_work_runs_and_not_after() -> None:
    renewals: list[float] = []
    with Lease(lambda: renewals.append(time.monotonic()) is None, lease_s=0.06, deadline_s=10.0):
        wait_until(lambda: len(renewals) >= 3)
    seen = len(renewals)
    time.sleep(0.1)
    assert len(renewals) <= seen + 1


def test_the_work_is_told_when_another_worker_owns_the_job() -> None:
    with Lease(lambda: False, lease_s=0.03, deadline_s=10.0) as lease:

        def lost() -> bool:
            try:
                lease.check()
            except LeaseLostError:
                return True
            return False

        wait_until(lost)


def test_a_database_that_is_away_does_not_lose_the_lease() -> None:
    calls: list[int] = []

    def renew() -> bool:
        calls.append(1)
        raise ConnectionError

    with Lease(renew, lease_s=0.03, deadline_s=10.0) as lease:
        wait_until(lambda: len(calls) >= 3)
        lease.check()


def test_the_deadline_is_noticed_between_two_steps() -> None:
    with Lease(lambda: True, lease_s=30.0, deadline_s=0.01) as lease:
        time.sleep(0.02)
        with pytest.raises(DeadlineExceededError, match=r"within 0\.01 s"):
            lease.check()


def test_work_that_hangs_past_its_deadline_is_told_of_a_lease_later() -> None:
    hung: list[int] = []
    with Lease(lambda: True, lease_s=0.06, deadline_s=0.01, on_hang=lambda: hung.append(1)):
        wait_until(lambda: hung == [1])


def test_work_that_ends_in_time_is_not_taken_for_hanging() -> None:
    hung: list[int] = []
    with Lease(lambda: True, lease_s=0.2, deadline_s=0.01, on_hang=lambda: hung.append(1)):
        time.sleep(0.1)
    time.sleep(0.4)
    assert hung == []
