"""Pages that list images: the search, and the failures, from which many can be retried or cancelled at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from service.api.dependencies import PageWanted, ReadSession, now
from service.api.paging import Page, Rows, read_page, require_key
from service.dashboard.pages import NOT_KEPT, templates
from service.dashboard.what_helps import what_helps
from service.registry import queries
from service.registry.destination_health import destinations
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState
from service.registry.keyset import Key

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

FIELDS = ("uid", "sender", "state", "reason", "since", "until")
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class Asked:
    """The search as it was typed: `values` by field, the filter that it means, and what of it cannot be understood."""

    values: dict[str, str]
    wanted: JobFilter
    uid: str
    mistakes: tuple[str, ...]


@router.get("/pages/images")
def images(request: Request, session: ReadSession, page: PageWanted) -> HTMLResponse:
    """Images by UID, sender, state, reason and day of arrival, newest first."""
    asked = read_search(request.query_params.get)
    found = Rows[queries.JobSummary]([], None) if asked.mistakes else _found(session, page, asked)
    context = {
        "page": "images",
        "asked": asked,
        "found": found,
        "wanted": page,
        "states": list(JobState),
        "query": urlencode({name: value for name, value in asked.values.items() if value}),
    }
    return templates.TemplateResponse(request, "images.html", context, headers=NOT_KEPT)


@router.get("/pages/failures")
def failures(request: Request, session: ReadSession, page: PageWanted) -> HTMLResponse:
    """What failed, why, and what helps."""
    asked = read_search(lambda name: "FAILED" if name == "state" else request.query_params.get(name))
    found = Rows[queries.JobSummary]([], None) if asked.mistakes else _found(session, page, asked)
    context = {
        "page": "failures",
        "asked": asked,
        "found": found,
        "wanted": page,
        "helps": {row.reason_code: what_helps(row.reason_code) for row in found.rows},
        "query": urlencode({name: value for name, value in asked.values.items() if value and name != "state"}),
    }
    return templates.TemplateResponse(request, "failures.html", context, headers=NOT_KEPT)


@router.get("/pages/destinations")
def destinations_page(request: Request, session: ReadSession) -> HTMLResponse:
    """Where results go, whether it answers, and what waits for it."""
    context = {"page": "destinations", "destinations": destinations(session, now=now())}
    return templates.TemplateResponse(request, "destinations.html", context, headers=NOT_KEPT)


def read_search(value_of: Callable[[str], str | None]) -> Asked:
    """The search that a form sends; empty fields are left out, and what cannot be meant is said and not guessed."""
    values = {name: (value_of(name) or "").strip()[:64] for name in FIELDS}
    mistakes = []
    if values["uid"] and not _UID.fullmatch(values["uid"]):
        mistakes.append("expected a UID of digits and dots")
    state = values["state"]
    if state and state not in set(JobState):
        mistakes.append("expected a state from the list")
    since, until = _day(values["since"]), _day(values["until"])
    if (values["since"] and since is None) or (values["until"] and until is None):
        mistakes.append("expected days as 2026-01-31")
    wanted = JobFilter(
        state=JobState(state) if state and not mistakes else None,
        reason=values["reason"] or None,
        source=values["sender"] or None,
        since=since,
        until=until + timedelta(days=1) if until else None,
    )
    return Asked(values, wanted, values["uid"], tuple(mistakes))


def _day(text: str) -> datetime | None:
    """The beginning of a day, UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None


def _found(session: Session, page: Page, asked: Asked) -> Rows[queries.JobSummary]:
    """A UID may be that of a study, an image or a series: whichever finds something."""
    wanted, uid = asked.wanted, asked.uid
    filters = [wanted]
    if uid:
        filters = [
            replace(wanted, study_instance_uid=uid),
            replace(wanted, sop_instance_uid=uid),
            replace(wanted, series_instance_uid=uid),
        ]
    pages = (_page_of(session, page, each) for each in filters)
    return next((found for found in pages if found.rows), Rows[queries.JobSummary]([], None))


def _page_of(session: Session, page: Page, wanted: JobFilter) -> Rows[queries.JobSummary]:
    return read_page(
        page,
        lambda limit, after: queries.list_jobs(
            session, wanted, limit=limit, after=require_key(after, kind=str, timed=True)
        ),
        lambda row: Key(row.job_id, row.created_at),
    )
