"""The routes of the pages. Templates escape everything; what they show is what the API answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from service.api.dependencies import PageWanted, ReadSession
from service.api.paging import LONGEST_CURSOR, Page
from service.api.problems import ProblemError
from service.api.search import StudyFilter
from service.api.v1.jobs import found_job
from service.api.v1.rejections import found_not_processed, found_rejections
from service.api.v1.studies import found_studies, found_study
from service.api.v1.version import release
from service.dashboard.api_reference import operations_by_tag
from service.registry import queries

LABELS = {
    "QUEUED": "Queued",
    "RUNNING": "Computing",
    "DERIVED": "Being delivered",
    "DELIVERED": "Delivered",
    "COMMITTED": "Kept by the PACS",
    "CANCELLED": "Cancelled",
    "REFUSED": "Refused",
    "FAILED": "Failed",
    "NOT_PROCESSED": "Not processed",
}

RejectionsCursor = Annotated[str, Query(max_length=LONGEST_CURSOR)]

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
templates = Jinja2Templates(Path(__file__).parent / "templates")  # escapes: .html is in jinja2's autoescape list
templates.env.globals.update(labels=LABELS, release=release())


@router.get("/pages/studies")
def studies(request: Request, session: ReadSession, page: PageWanted) -> HTMLResponse:
    """All studies, the one that received an image last first."""
    counts = queries.counts_by_state(session)
    return templates.TemplateResponse(
        request,
        "studies.html",
        {
            "page": "studies",
            "studies": found_studies(session, page, StudyFilter()),
            "wanted": page,
            "counts": [(str(state), counted(count)) for state, count in counts.items()],
        },
        headers=NOT_KEPT,
    )


@router.get("/pages/studies/{study_instance_uid}")
def study(request: Request, session: ReadSession, study_instance_uid: str) -> HTMLResponse:
    """One study: its images before and after, where each stands, and what happened."""
    try:
        found = found_study(session, study_instance_uid)
    except ProblemError as error:
        context = {"page": "", "message": error.problem.message}
        return templates.TemplateResponse(request, "missing.html", context, status_code=error.problem.status)
    jobs = {image.job.job_id: found_job(session, image.job.job_id) for image in found.instances if image.job}
    page = {"page": "", "study": found, "images": found.instances, "jobs": jobs}
    return templates.TemplateResponse(request, "study.html", page, headers=NOT_KEPT)


@router.get("/refused")
def refused(
    request: Request, session: ReadSession, page: PageWanted, rejections_cursor: RejectionsCursor = ""
) -> HTMLResponse:
    """What was refused or set aside: two lists, each with pages of its own."""
    of_rejections = Page(page.limit, rejections_cursor)
    context = {
        "page": "refused",
        "rejections": found_rejections(session, of_rejections),
        "rejections_wanted": of_rejections,
        "not_processed": found_not_processed(session, page),
        "not_processed_wanted": page,
    }
    return templates.TemplateResponse(request, "refused.html", context, headers=NOT_KEPT)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The API's description for people; FastAPI's own page would load its scripts from the internet."""
    context = {"page": "docs", "tags": operations_by_tag(request.app.openapi())}
    return templates.TemplateResponse(request, "docs.html", context)


def counted(count: int) -> str:
    """Counting ends at a number that nobody reads to the last digit."""
    return str(count) if count < queries.COUNTED_AT_MOST else f"{count}+"


NOT_KEPT = {"Cache-Control": "no-store"}
