"""Studies: list, and one with its images."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from service.api.dependencies import PageWanted, ReadSession
from service.api.paging import Page, read_page, require_key
from service.api.problems import ProblemError, problems
from service.api.schemas import Instance, Studies, Study, StudyDetail, StudyState
from service.api.search import StudyFilter
from service.registry import queries
from service.registry.job_states import JobState
from service.registry.keyset import Key

router = APIRouter(prefix="/studies", tags=["studies"])

StudyUid = Annotated[str, Path(description="Study Instance UID (0020,000D).", max_length=64, pattern=r"^[0-9.]+$")]


@router.get("", summary="List studies", responses=problems(422, 500, 503))
def list_studies(session: ReadSession, page: PageWanted, wanted: Annotated[StudyFilter, Depends()]) -> Studies:
    """Studies of which an image was received, the one that received an image last first."""
    return found_studies(session, page, wanted)


@router.get("/{study_instance_uid}", summary="One study with its images", responses=problems(404, 422, 500, 503))
def read_study(session: ReadSession, study_instance_uid: StudyUid) -> StudyDetail:
    """One study: every image received, why it was not accepted or where its job stands."""
    return found_study(session, study_instance_uid)


def found_studies(session: Session, page: Page, wanted: StudyFilter) -> Studies:
    """One page of studies."""
    found = read_page(
        page,
        lambda limit, after: queries.list_studies(
            session,
            study_instance_uid=wanted.study_instance_uid,
            since=wanted.since,
            until=wanted.until,
            limit=limit,
            after=require_key(after, kind=str, timed=True),
        ),
        lambda row: Key(row.study_instance_uid, row.last_received_at),
    )
    items = []
    for row in found.rows:
        state = StudyState.of(row.jobs_by_state)
        # Only these two states have a reason, and they are few: the others cost no further query.
        has_reason = state in {StudyState.FAILED, StudyState.NOT_PROCESSED}
        detail = queries.study_detail(session, row.study_instance_uid) if has_reason else None
        items.append(_study(row, state, detail))
    return Studies(items=items, next_cursor=found.next_cursor)


def found_study(session: Session, study_instance_uid: str) -> StudyDetail:
    """The study, or ProblemError 404."""
    detail = queries.study_detail(session, study_instance_uid)
    if detail is None:
        raise ProblemError(404, "STUDY_UNKNOWN", "no image of this study was received")
    study = _study(detail.summary, StudyState.of(detail.summary.jobs_by_state), detail)
    instances = [Instance.model_validate(row) for row in detail.instances]
    return StudyDetail(**study.model_dump(), instances=instances)


def _study(row: queries.StudySummary, state: StudyState, detail: queries.StudyDetail | None) -> Study:
    code, words = _reason(state, detail.instances if detail else ())
    return Study(
        study_instance_uid=row.study_instance_uid,
        state=state,
        reason_code=code,
        reason_detail=words,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
        instance_count=row.instance_count,
        jobs_by_state=dict(row.jobs_by_state),
    )


def _reason(state: StudyState, instances: tuple[queries.InstanceRow, ...]) -> tuple[str | None, str | None]:
    """The reason of the first image that is in the study's state; later ones are in the study itself."""
    for instance in instances:
        if state is StudyState.NOT_PROCESSED and instance.job is None:
            return instance.reason_code, instance.reason_detail
        if state is StudyState.FAILED and instance.job is not None and instance.job.state is JobState.FAILED:
            return instance.job.reason_code, instance.job.reason_detail
    return None, None
