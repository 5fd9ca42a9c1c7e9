from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.registry.job_states import (
    DELIVERY_TRANSITIONS,
    TRANSITIONS,
    DeliveryState,
    ForbiddenTransitionError,
    JobState,
    check,
    check_delivery,
)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (JobState.QUEUED, JobState.RUNNING),
        (JobState.QUEUED, JobState.FAILED),
        (JobState.RUNNING, JobState.DERIVED),
        (JobState.RUNNING, JobState.QUEUED),
        (JobState.RUNNING, JobState.FAILED),
        (JobState.DERIVED, JobState.DELIVERED),
        (JobState.DERIVED, JobState.FAILED),
        (JobState.DELIVERED, JobState.COMMITTED),
        (JobState.DELIVERED, JobState.DERIVED),
        (JobState.QUEUED, JobState.REFUSED),
        (JobState.RUNNING, JobState.REFUSED),
        (JobState.REFUSED, JobState.QUEUED),
        (JobState.FAILED, JobState.QUEUED),
        (JobState.FAILED, JobState.DERIVED),
        (JobState.QUEUED, JobState.CANCELLED),
        (JobState.RUNNING, JobState.CANCELLED),
        (JobState.DERIVED, JobState.CANCELLED),
        (JobState.FAILED, JobState.CANCELLED),
        (JobState.CANCELLED, JobState.QUEUED),
        (JobState.CANCELLED, JobState.DERIVED),
    ],
)
def test_the_path_of_a_job_is_allowed(source: JobState, target: JobState) -> None:
    check(source, target)


def test_the_table_holds_nothing_but_that_path() -> None:
    assert sum(len(targets) for targets in TRANSITIONS.values()) == 20
    assert sum(len(targets) for targets in DELIVERY_TRANSITIONS.values()) == 17


@given(st.sampled_from(JobState), st.sampled_from(JobState))
def test_check_refuses_exactly_what_the_table_lacks(source: JobState, target: JobState) -> None:
    if target in TRANSITIONS[source]:
        check(source, target)
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{source} to {target}"):
            check(source, target)


@given(st.sampled_from(DeliveryState), st.sampled_from(DeliveryState))
def test_check_delivery_refuses_exactly_what_the_table_lacks(source: DeliveryState, target: DeliveryState) -> None:
    if target in DELIVERY_TRANSITIONS[source]:
        check_delivery(source, target)
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{source} to {target}"):
            check_delivery(source, target)


@given(st.lists(st.sampled_from(JobState)))
def test_whatever_is_tried_a_job_is_delivered_only_after_it_was_derived(attempts: list[JobState]) -> None:
    path = [JobState.QUEUED]
    for target in attempts:
        if target in TRANSITIONS[path[-1]]:
            path.append(target)
    for position, state in enumerate(path):
        if state is JobState.DELIVERED:
            assert path[position - 1] is JobState.DERIVED
        if state is JobState.COMMITTED:
            assert path[position - 1] is JobState.DELIVERED


def test_from_every_state_but_the_last_a_job_can_still_be_delivered() -> None:
    reaches = {JobState.DELIVERED}
    while more := {s for s, targets in TRANSITIONS.items() if targets & reaches} - reaches:
        reaches |= more
    assert reaches == set(JobState) - {JobState.COMMITTED}


def test_what_is_committed_stays_so() -> None:
    assert TRANSITIONS[JobState.COMMITTED] == frozenset()


def test_a_job_never_stays_where_it_is_by_a_transition() -> None:
    assert all(state not in targets for state, targets in TRANSITIONS.items())
