"""How urgent a job is, and when one that is not delivered yet counts as late; pure.

STAT goes before ROUTINE and ROUTINE before PRIOR, for the computing and for each node's deliveries alike.
`docs/scheduling.md` says where a job's priority comes from and what keeps the last from waiting for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Priority(StrEnum):
    """The order of classes, the most urgent first; the registry keeps their ranks."""

    STAT = "STAT"
    """Somebody waits for it: an emergency, a patient on the table."""
    ROUTINE = "ROUTINE"
    """Live work that nobody marked."""
    PRIOR = "PRIOR"
    """An earlier examination that was fetched from an archive."""

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return list(Priority).index(self)

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        """The class that the registry keeps as `rank`."""
        return list(cls)[rank]


@dataclass(frozen=True)
class Deadlines:
    """Seconds from reception to delivery after which a job counts as late; 0: never. A PRIOR is never late."""

    stat_s: float = 0.0
    routine_s: float = 0.0

    def due_at(self, priority: Priority, now: datetime) -> datetime | None:
        """When a job that begins to count at `now` becomes late; None: never."""
        allowed_s = {Priority.STAT: self.stat_s, Priority.ROUTINE: self.routine_s}.get(priority, 0.0)
        return now + timedelta(seconds=allowed_s) if allowed_s > 0 else None


NO_DEADLINES = Deadlines()
