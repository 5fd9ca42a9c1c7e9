"""When images of each priority count as late, as the settings say."""

from __future__ import annotations

from service.priorities import Deadlines
from service.settings import Settings


def deadlines_of(settings: Settings) -> Deadlines:
    """The deadlines of this installation."""
    return Deadlines(stat_s=settings.stat_deadline_s, routine_s=settings.job_deadline_s)
