"""What lists can be narrowed by, as query parameters.

There is no accession number and no patient in them: the registry holds neither (docs/decisions/0006). Who has one of
those asks the PACS for the Study Instance UID.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator

from service.priorities import Priority
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState

_BEGINS_WITH_A_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _utc(moment: datetime) -> datetime:
    """A time without a zone is UTC, as all times of the API are."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999") from None


def _written_out(value: object) -> object:
    """A bare number would be read as seconds since 1970, which nobody means."""
    if isinstance(value, str) and not _BEGINS_WITH_A_DATE.match(value):
        raise ValueError("expected a date, or a date and a time, as in 2026-01-31T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_utc)]
Uid = Annotated[str, Query(max_length=64, pattern=r"^[0-9.]+$")]
Since = Annotated[Moment | None, Query(description="Not before this time (UTC unless it says otherwise).")]
Until = Annotated[Moment | None, Query(description="Before this time.")]


@dataclass(frozen=True)
class StudyFilter:
    """Studies by their UID, and by when they last received an image."""

    study_instance_uid: Annotated[
        str | None, Query(max_length=64, pattern=r"^[0-9.]+$", description="Study Instance UID (0020,000D).")
    ] = None
    since: Since = None
    until: Until = None


def job_filter(
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    reason: Annotated[
        str | None, Query(max_length=64, description="Only jobs with this reason, or a failed delivery with it.")
    ] = None,
    calling_ae_title: Annotated[str | None, Query(max_length=16, description="Only what this AE title sent.")] = None,
    priority: Annotated[Priority | None, Query(description="Only jobs of this priority.")] = None,
    study_instance_uid: Annotated[Uid | None, Query(description="Only of this study.")] = None,
    series_instance_uid: Annotated[Uid | None, Query(description="Only of this series.")] = None,
    sop_instance_uid: Annotated[Uid | None, Query(description="Only of this source image.")] = None,
    model_sha256: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{64}$", description="Only what these weights made.")
    ] = None,
    since: Since = None,
    until: Until = None,
) -> JobFilter:
    """The filter that the query parameters ask for."""
    return JobFilter(
        state=state,
        reason=reason,
        source=calling_ae_title,
        priority=priority,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
        sop_instance_uid=sop_instance_uid,
        model_sha256=model_sha256,
        since=since,
        until=until,
    )
