"""Spans of a history: ids that anybody can work out again, one root a run, every stage a child of its run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from service.observability.spans import Move, Span, spans, trace_id
from service.registry.job_states import JobState as S

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
JOB = "6f1f4f0e-64b1-4a8e-9d57-0d9f3b2a7c11"


def told(*states: S) -> list[Span]:
    """Of a job that entered a state every ten seconds."""
    before = (None, *states[:-1])
    moves = [
        Move(n, NOON + timedelta(seconds=10 * n), a, b) for n, (a, b) in enumerate(zip(before, states, strict=True))
    ]
    return list(spans(JOB, moves))


def seconds(span: Span) -> tuple[float, float]:
    return (span.start - NOON).total_seconds(), (span.end - NOON).total_seconds()


def test_a_committed_image_has_one_root_and_four_stages() -> None:
    found = told(S.QUEUED, S.RUNNING, S.DERIVED, S.DELIVERED, S.COMMITTED)
    assert [(span.name, *seconds(span)) for span in found] == [
        ("wait", 0, 10),
        ("compute", 10, 20),
        ("deliver", 20, 30),
        ("image", 0, 30),
        ("commit", 30, 40),
    ]
    root = found[3]
    assert root.parent_id is None
    assert {span.parent_id for span in found if span is not root} == {root.span_id}
    assert not any(span.failed for span in found)


def test_the_trace_is_found_by_the_job_id_alone() -> None:
    assert f"{trace_id(JOB):032x}" == JOB.replace("-", "")
    assert {span.trace_id for span in told(S.QUEUED, S.RUNNING, S.DERIVED)} == {UUID(JOB).int}


def test_a_longer_history_tells_the_same_spans_first() -> None:
    whole = (S.QUEUED, S.RUNNING, S.QUEUED, S.RUNNING, S.FAILED, S.QUEUED, S.RUNNING, S.DERIVED, S.DELIVERED)
    for length in range(1, len(whole)):
        short = told(*whole[:length])
        assert told(*whole)[: len(short)] == short


def test_a_retried_job_has_a_second_root_in_the_same_trace() -> None:
    found = told(S.QUEUED, S.RUNNING, S.FAILED, S.QUEUED, S.RUNNING, S.DERIVED, S.DELIVERED)
    first, second = (span for span in found if span.parent_id is None)
    assert (seconds(first), first.failed) == ((0, 20), True)
    assert (seconds(second), second.failed) == ((30, 60), False)
    assert [span.parent_id == second.span_id for span in found if span.parent_id] == [False, False, True, True, True]


def test_what_the_archive_does_not_have_is_a_failed_commit_and_a_new_run() -> None:
    found = told(S.QUEUED, S.RUNNING, S.DERIVED, S.DELIVERED, S.DERIVED, S.DELIVERED, S.COMMITTED)
    commits = [span for span in found if span.name == "commit"]
    roots = [span for span in found if span.parent_id is None]
    assert [span.failed for span in commits] == [True, False]
    assert [span.parent_id for span in commits] == [root.span_id for root in roots]


@pytest.mark.parametrize("end", [S.REFUSED, S.CANCELLED])
def test_what_was_not_wanted_is_no_failure(end: S) -> None:
    found = told(S.QUEUED, S.RUNNING, end)
    assert [span.name for span in found] == ["wait", "compute", "image"]
    assert not any(span.failed for span in found)


def test_a_failed_job_that_is_cancelled_has_no_run_of_that() -> None:
    assert told(S.QUEUED, S.RUNNING, S.FAILED, S.CANCELLED) == told(S.QUEUED, S.RUNNING, S.FAILED)


def test_every_span_id_is_its_own() -> None:
    found = told(S.QUEUED, S.RUNNING, S.FAILED, S.QUEUED, S.RUNNING, S.DERIVED, S.FAILED, S.DERIVED, S.DELIVERED)
    assert len({span.span_id for span in found}) == len(found)
