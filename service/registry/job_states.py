"""States of a job and of a delivery, and the transitions between them; pure.

```text
          claim            stored            every delivery sent
QUEUED ---------> RUNNING ---------> DERIVED --------------------> DELIVERED
   ^ |               | |                | ^
   | |  lease over,  | |                | |  retry: deliveries again
   | |  try again    | |                v |
   | +<--------------+ +-----------> FAILED
   |         retry: nothing derived     |
   +------------------------------------+
```
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """Where one source instance stands on its way to its derived instance at every destination."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DERIVED = "DERIVED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class DeliveryState(StrEnum):
    """Where one derived instance stands on its way to one remote node."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED}),
        JobState.RUNNING: frozenset({JobState.DERIVED, JobState.QUEUED, JobState.FAILED}),
        JobState.DERIVED: frozenset({JobState.DELIVERED, JobState.FAILED}),
        JobState.DELIVERED: frozenset(),
        JobState.FAILED: frozenset({JobState.QUEUED, JobState.DERIVED}),
    }
)

DELIVERY_TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = MappingProxyType(
    {
        DeliveryState.PENDING: frozenset({DeliveryState.SENDING, DeliveryState.FAILED}),
        DeliveryState.SENDING: frozenset({DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.FAILED}),
        DeliveryState.SENT: frozenset(),
        DeliveryState.FAILED: frozenset({DeliveryState.PENDING}),
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
