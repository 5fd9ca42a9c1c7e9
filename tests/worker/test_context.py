"""The retry policy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.context import RetryPolicy

POLICY = RetryPolicy(max_attempts=5, base_s=10.0, max_s=900.0)


def test_waits_double_from_the_base_up_to_the_maximum() -> None:
    assert [POLICY.wait_s(n, 0.0) for n in (1, 2, 3, 7, 8)] == [10.0, 20.0, 40.0, 640.0, 900.0]


@given(st.integers(min_value=0, max_value=10**9), st.floats(min_value=0.0, max_value=0.999))
def test_no_wait_is_shorter_than_the_base_or_longer_than_the_maximum_and_its_jitter(
    attempts: int, chance: float
) -> None:
    assert 10.0 <= POLICY.wait_s(attempts, chance) <= 900.0 * 1.25


def test_the_budget_is_spent_with_the_last_attempt() -> None:
    assert [POLICY.exhausted(n) for n in (1, 4, 5, 6)] == [False, False, True, True]
