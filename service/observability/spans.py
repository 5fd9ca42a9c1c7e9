"""A job's history as the spans of one trace, from the kept image to the storage commitment; pure.

Nothing is carried between processes: the trace id is the job's own UUID without its hyphens, and a span id follows from
the line of the history that ends the span. So a trace survives restarts, and what is told twice is the same span. One
root span goes from QUEUED to the end of a run; each stage is a child of it. A job that is tried again has a second root
in the same trace. The wait for a storage commitment is a child of the run that delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from service.registry.job_states import JobState

STAGES = {
    JobState.QUEUED: "wait",
    JobState.RUNNING: "compute",
    JobState.DERIVED: "deliver",
    JobState.DELIVERED: "commit",
}
ENDS = frozenset({JobState.DELIVERED, JobState.FAILED, JobState.REFUSED, JobState.CANCELLED})
RUN = "image"


@dataclass(frozen=True)
class Move:
    """One line of a job's history that changed its state; the first has no `from_state`."""

    number: int
    at: datetime
    from_state: JobState | None
    to_state: JobState


@dataclass(frozen=True)
class Span:
    """`parent_id` None: a root. `told_by`: number of the line of the history that ended it. `to_state` is its end."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    start: datetime
    end: datetime
    to_state: JobState
    told_by: int

    @property
    def failed(self) -> bool:
        """Whether it ended as it should not: tried again, not found at the node, or FAILED for good."""
        if self.to_state is JobState.FAILED:
            return True
        return (self.name, self.to_state) in {("compute", JobState.QUEUED), ("commit", JobState.DERIVED)}


def trace_id(job_id: str) -> int:
    """The trace of a job, 128 bits: its UUID."""
    return UUID(job_id).int


def spans(job_id: str, moves: Sequence[Move]) -> Iterator[Span]:
    """Every span that has ended, in the order of the history `moves`, which is a job's whole one."""
    trace = trace_id(job_id)
    run, run_start, entered = 0, None, None
    for move in moves:
        stage = STAGES.get(move.from_state) if move.from_state is not None else None
        if stage is not None and entered is not None and run_start is not None:
            parent = _span_id(job_id, f"run {run}")
            span_id = _span_id(job_id, f"move {move.number}")
            yield Span(stage, trace, span_id, parent, entered, move.at, move.to_state, move.number)
            if stage != "commit" and move.to_state in ENDS:
                yield Span(RUN, trace, parent, None, run_start, move.at, move.to_state, move.number)
        if move.to_state in STAGES and (move.from_state is None or move.from_state in ENDS):
            run, run_start = run + (move.from_state is not None), move.at
        entered = move.at


def _span_id(job_id: str, what: str) -> int:
    return int.from_bytes(sha256(f"{job_id} {what}".encode()).digest()[:8], "big")
