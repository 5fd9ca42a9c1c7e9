"""States of a job, a delivery and a commitment request, and the transitions between them; pure.

```text
          claim            stored            everything sent             kept, says the node
QUEUED ---------> RUNNING ---------> DERIVED ----------------> DELIVERED --------------------> COMMITTED
   ^ |             | | |                | ^  <----------------
   | |  lease over,| | |                | |   not there: again
   | |  try again  | | |                v |
   | +<------------+ | +------------> FAILED   (retry: deliveries again, or from the start when nothing is derived)
   |                 v
   |              REFUSED   the picture, or another object of the same exposure, says that it is not for us
```

From REFUSED back to QUEUED goes only what was left alone for another object of the same exposure, when nothing could be
made of that one.

DELIVERED is the end where no remote node of the job is asked for a storage commitment. Whoever operates softray may
cancel what has not ended well (QUEUED, RUNNING, DERIVED, FAILED): CANCELLED, which can be retried as FAILED can.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobPurpose(StrEnum):
    """What a job makes."""

    SUPPRESS = "SUPPRESS"
    """The companion image, and what goes with it."""
    REFUSAL_NOTICE = "REFUSAL_NOTICE"
    """The report that says why there is none; made by the network worker, without a model."""
    RETRACTION = "RETRACTION"
    """The rejection note that takes results of a study back, for every node that has some (`recalls`)."""


class JobState(StrEnum):
    """Where one source instance stands on its way to its derived instance at every destination."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DERIVED = "DERIVED"
    DELIVERED = "DELIVERED"
    COMMITTED = "COMMITTED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class DeliveryState(StrEnum):
    """Where one derived instance stands on its way to one remote node.

    COMMITTED: the node has said that it keeps it (storage commitment). VERIFIED: it was asked for it and has it.
    REPLACED: the node does not take this SOP class; the same picture goes to it as Secondary Capture. DECLINED: it does
    not take this SOP class, and nothing depends on it (a report, a presentation state). CANCELLED: its job was, or its
    node is gone and the job goes on without it.
    """

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    COMMITTED = "COMMITTED"
    VERIFIED = "VERIFIED"
    REPLACED = "REPLACED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class CommitmentState(StrEnum):
    """Where one request for a storage commitment stands.

    PLANNED: written down, not sent yet. REQUESTED: the node has taken the request and owes a report. REPORTED: it came.
    EXPIRED: it did not come in time. REFUSED: the node does not take such requests.
    """

    PLANNED = "PLANNED"
    REQUESTED = "REQUESTED"
    REPORTED = "REPORTED"
    EXPIRED = "EXPIRED"
    REFUSED = "REFUSED"


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.REFUSED, JobState.FAILED, JobState.CANCELLED}),
        JobState.RUNNING: frozenset(
            {JobState.DERIVED, JobState.QUEUED, JobState.REFUSED, JobState.FAILED, JobState.CANCELLED}
        ),
        JobState.DERIVED: frozenset({JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED}),
        JobState.DELIVERED: frozenset({JobState.COMMITTED, JobState.DERIVED}),
        JobState.COMMITTED: frozenset(),
        JobState.REFUSED: frozenset({JobState.QUEUED}),
        JobState.FAILED: frozenset({JobState.QUEUED, JobState.DERIVED, JobState.CANCELLED}),
        JobState.CANCELLED: frozenset({JobState.QUEUED, JobState.DERIVED}),
    }
)

DELIVERY_TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = MappingProxyType(
    {
        DeliveryState.PENDING: frozenset({DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.CANCELLED}),
        DeliveryState.SENDING: frozenset(
            {
                DeliveryState.SENT,
                DeliveryState.PENDING,
                DeliveryState.REPLACED,
                DeliveryState.DECLINED,
                DeliveryState.FAILED,
                DeliveryState.CANCELLED,
            }
        ),
        # From SENT back to PENDING: the node says, or is found, not to have it.
        DeliveryState.SENT: frozenset(
            {DeliveryState.COMMITTED, DeliveryState.VERIFIED, DeliveryState.PENDING, DeliveryState.FAILED}
        ),
        DeliveryState.COMMITTED: frozenset(),
        DeliveryState.VERIFIED: frozenset(),
        DeliveryState.REPLACED: frozenset(),
        # Only by a retry, of a job of which nobody took anything.
        DeliveryState.DECLINED: frozenset({DeliveryState.PENDING}),
        DeliveryState.FAILED: frozenset({DeliveryState.PENDING, DeliveryState.CANCELLED}),
        DeliveryState.CANCELLED: frozenset({DeliveryState.PENDING}),
    }
)


class ForbiddenTransitionError(Exception):
    """A programming error: the transition is not in the table, whatever the row says."""


def check(source: JobState, target: JobState) -> None:
    """Raise ForbiddenTransitionError unless a job may go from `source` to `target`."""
    if target not in TRANSITIONS[source]:
        raise ForbiddenTransitionError(f"a job may not go from {source} to {target}")


def check_delivery(source: DeliveryState, target: DeliveryState) -> None:
    """Raise ForbiddenTransitionError unless a delivery may go from `source` to `target`."""
    if target not in DELIVERY_TRANSITIONS[source]:
        raise ForbiddenTransitionError(f"a delivery may not go from {source} to {target}")
