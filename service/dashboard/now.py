"""The first page: what waits, what is computed at this moment, what came out last, what failed, destinations, disk."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.api.dependencies import PartsOfApp, ReadSession, now
from service.dashboard.pages import NOT_KEPT, counted, templates
from service.errors import TransientError
from service.instance_store import InstanceStore
from service.registry import queries
from service.registry.admission_marks import read_marks
from service.registry.destination_health import destinations
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState
from service.registry.work_counts import count_work

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

MOST_SHOWN = 8


@dataclass(frozen=True)
class Disk:
    """Room on the disk of the instance store, and its marks."""

    free_gib: float
    used_percent: float
    floor_gib: float
    high_percent: float


@router.get("/")
def now_page(request: Request, parts: PartsOfApp, session: ReadSession) -> HTMLResponse:
    """Everything that somebody wants to know who was called at night."""
    counts = queries.counts_by_state(session)
    running = queries.list_jobs(session, JobFilter(state=JobState.RUNNING), limit=MOST_SHOWN)
    failed = queries.list_jobs(session, JobFilter(state=JobState.FAILED), limit=MOST_SHOWN)
    context = {
        "page": "now",
        "counts": [(str(state), counted(count)) for state, count in counts.items()],
        "queued": count_work(session).queued,
        "running": running,
        "failed": failed,
        "newest": queries.list_jobs(session, JobFilter(), limit=MOST_SHOWN),
        "destinations": destinations(session, now=now()),
        "disk": _disk(parts.store),
        "refusing": [mark for mark in read_marks(session).values() if mark.refusing],
    }
    return templates.TemplateResponse(request, "now.html", context, headers=NOT_KEPT)


def _disk(store: InstanceStore) -> Disk | None:
    """None: the store cannot be reached."""
    try:
        usage = store.space.usage()
    except TransientError:
        return None
    marks = store.space.marks
    gib = 1024.0**3
    return Disk(usage.free_bytes / gib, usage.used_percent, marks.min_free_bytes / gib, marks.high_percent)
