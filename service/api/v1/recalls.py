"""Recalls: look what one would touch, propose it, have another person approve it, see how far it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service import recalling
from service.access.principals import Principal
from service.api.access_gate import client_host
from service.api.dependencies import PageWanted, PartsOfApp, ReadSession, now
from service.api.paging import read_page, require_key
from service.api.problems import ProblemError, problems
from service.api.schemas import Answer
from service.api.search import Moment
from service.audit.events import Actor
from service.database import transaction
from service.errors import PermanentError
from service.registry import recall_search, recalls
from service.registry.job_states import JobState
from service.registry.keyset import Key
from service.registry.recall_search import AtNode, Candidate, RecallCriteria
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.recalls import RecallJobRow, RecallRow

router = APIRouter(prefix="/recalls", tags=["recalls"])

RecallId = Annotated[str, Path(description="The recall's id, as `POST /recalls` gives it.", max_length=64)]
_SHA256 = "^[0-9A-Fa-f]{64}$"
_MODEL = "SHA-256 of the weights with their configuration."
_VERSION = "softray's version, as in the receipt; results without a receipt are not found by it."
_SOURCE = "Calling AE title that the image came from."
_FROM = "The image came at or after this time (UTC unless it says otherwise)."
_UNTIL = "The image came before this time."


class Criteria(BaseModel):
    """What the results have in common; all that is given must hold, and something must be given."""

    model_config = ConfigDict(extra="forbid")

    model_sha256: str | None = Field(default=None, pattern=_SHA256, description=_MODEL)
    service_version: str | None = Field(default=None, max_length=64, description=_VERSION)
    source: str | None = Field(default=None, max_length=16, description=_SOURCE)
    received_from: Moment | None = Field(default=None, description=_FROM)
    received_until: Moment | None = Field(default=None, description=_UNTIL)

    def wanted(self) -> RecallCriteria:
        """As the registry takes them."""
        return RecallCriteria(**self.model_dump(include=set(Criteria.model_fields)))


class RecallWanted(Criteria):
    """A recall to be proposed."""

    reason: RecallReason = Field(description="PATIENT_SAFETY: nobody is to see them. QUALITY: not for reading.")
    words: str = Field(
        min_length=1,
        max_length=recalls.MOST_WORDS,
        description="Why, for the readers of the rejection notes. Nothing about a patient.",
    )


class ResultsAtNode(Answer):
    """How many results a remote node has."""

    node: str
    removed: bool = Field(description="The node was removed: nothing can be sent there.")
    there: int = Field(description="Results that it has, or may have.")
    waiting: int = Field(description="Results that wait to be sent there, or are on their way.")


class RecallCandidate(Answer):
    """A job whose results would be taken back."""

    job_id: str
    study_instance_uid: str
    state: JobState
    source: str | None
    model_name: str | None
    model_sha256: str | None
    received_at: datetime


class RecallPlan(BaseModel):
    """What a recall would touch."""

    jobs: int
    studies: int
    nodes: list[ResultsAtNode]
    items: list[RecallCandidate] = Field(description="The jobs of this page, newest first.")
    next_cursor: str | None = Field(description="Of the next page; null on the last one.")


class Recall(Answer):
    """An order to take results back."""

    recall_id: str
    state: RecallState
    reason: RecallReason
    words: str
    model_sha256: str | None
    service_version: str | None
    source: str | None
    received_from: datetime | None
    received_until: datetime | None
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    ended_at: datetime | None
    jobs_by_state: dict[RecallItemState, int]

    @classmethod
    def of(cls, row: RecallRow) -> Recall:
        """From the registry's row."""
        return cls.model_validate({**vars(row), **asdict(row.criteria)})


class Recalls(BaseModel):
    """A page of recalls."""

    items: list[Recall]
    next_cursor: str | None = Field(description="Of the next page; null on the last one.")


class RecalledJob(Answer):
    """One job of a recall."""

    job_id: str
    state: RecallItemState
    study_instance_uid: str
    note_job_id: str | None = Field(description="The job that makes and delivers the rejection note of its study.")
    note_state: JobState | None


class RecalledJobs(BaseModel):
    """A page of a recall's jobs, and where their results are."""

    nodes: list[ResultsAtNode]
    items: list[RecalledJob]
    next_cursor: str | None = Field(description="Of the next page; null on the last one.")


def _criteria(
    model_sha256: Annotated[str | None, Query(pattern=_SHA256, description=_MODEL)] = None,
    service_version: Annotated[str | None, Query(max_length=64, description=_VERSION)] = None,
    source: Annotated[str | None, Query(max_length=16, description=_SOURCE)] = None,
    received_from: Annotated[Moment | None, Query(description=_FROM)] = None,
    received_until: Annotated[Moment | None, Query(description=_UNTIL)] = None,
) -> RecallCriteria:
    return RecallCriteria(model_sha256, service_version, source, received_from, received_until)


def _person(request: Request) -> Actor:
    principal: Principal = request.state.principal
    return principal.actor(client_host(request))


Person = Annotated[Actor, Depends(_person)]
CriteriaAsked = Annotated[RecallCriteria, Depends(_criteria)]


@router.get("/plan", summary="What a recall would touch", responses=problems(422, 500, 503))
def plan_recall(session: ReadSession, page: PageWanted, criteria: CriteriaAsked) -> RecallPlan:
    """The results that fit and that no recall has on its list: how many, of how many studies, where, and which.

    Nothing is written. 422 RECALL_NO_CRITERION: at least one criterion must be given.
    """
    try:
        found = recall_search.plan(session, criteria)
    except PermanentError as error:
        raise _problem(error) from error
    listed = read_page(
        page,
        lambda limit, after: recall_search.list_candidates(
            session, criteria, limit=limit, after=require_key(after, kind=str, timed=True)
        ),
        lambda row: Key(row.job_id, row.received_at),
    )
    return RecallPlan(
        jobs=found.jobs,
        studies=found.studies,
        nodes=_at_nodes(found.nodes),
        items=[_candidate(row) for row in listed.rows],
        next_cursor=listed.next_cursor,
    )


@router.get("", summary="List recalls", responses=problems(422, 500, 503))
def list_recalls(session: ReadSession, page: PageWanted) -> Recalls:
    """Recalls, newest first, each with the number of its jobs in every state that occurs."""
    listed = read_page(
        page,
        lambda limit, after: recalls.list_recalls(session, limit=limit, after=require_key(after, kind=str, timed=True)),
        lambda row: Key(row.recall_id, row.proposed_at),
    )
    return Recalls(items=[Recall.of(row) for row in listed.rows], next_cursor=listed.next_cursor)


@router.post("", summary="Propose a recall", status_code=201, responses=problems(403, 409, 422, 500, 503))
def propose_recall(parts: PartsOfApp, wanted: RecallWanted, by: Person) -> Recall:
    """Lists all results that fit at this moment. Nothing happens to them before another person approves.

    409 when nothing fits, or the caller is no person (an API token, a machine without a login).
    """
    with transaction(parts.sessions) as session:
        try:
            recall_id = recalling.propose(session, wanted.wanted(), wanted.reason, wanted.words, by=by, now=now())
        except PermanentError as error:
            raise _problem(error) from error
        return _found(session, recall_id)


@router.get("/{recall_id}", summary="One recall", responses=problems(404, 422, 500, 503))
def read_recall(session: ReadSession, recall_id: RecallId) -> Recall:
    """Where it stands, who proposed and who approved it, and the number of its jobs in every state that occurs."""
    return _found(session, recall_id)


@router.get("/{recall_id}/jobs", summary="The jobs of a recall", responses=problems(404, 422, 500, 503))
def list_recall_jobs(
    session: ReadSession,
    page: PageWanted,
    recall_id: RecallId,
    state: Annotated[RecallItemState | None, Query(description="Only jobs that stand there.")] = None,
) -> RecalledJobs:
    """Each job with the note of its study, and at which nodes the results are."""
    _found(session, recall_id)
    listed = read_page(
        page,
        lambda limit, after: recalls.list_recall_jobs(
            session, recall_id, state=state, limit=limit, after=require_key(after, kind=str, timed=False)
        ),
        lambda row: Key(row.job_id),
    )
    return RecalledJobs(
        nodes=_at_nodes(recalls.recalled_at_nodes(session, recall_id)),
        items=[_recalled(row) for row in listed.rows],
        next_cursor=listed.next_cursor,
    )


@router.post("/{recall_id}/approve", summary="Approve a recall", responses=problems(403, 404, 409, 422, 500, 503))
def approve_recall(parts: PartsOfApp, recall_id: RecallId, by: Person) -> Recall:
    """From now on nothing of it is sent any more, and the nodes that have results are told. It cannot be undone.

    409 RECALL_SAME_PERSON for whoever proposed it; 409 as well when it is not PROPOSED, or the caller is no person.
    """
    with transaction(parts.sessions) as session:
        try:
            recalling.approve(session, recall_id, by=by, now=now())
        except PermanentError as error:
            raise _problem(error) from error
        return _found(session, recall_id)


@router.post("/{recall_id}/withdraw", summary="Take a proposal back", responses=problems(403, 404, 409, 422, 500, 503))
def withdraw_recall(parts: PartsOfApp, recall_id: RecallId, by: Person) -> Recall:
    """Of a recall that nobody has approved; its jobs may be in another one then. 409 when it is not PROPOSED."""
    with transaction(parts.sessions) as session:
        try:
            recalling.withdraw(session, recall_id, by=by, now=now())
        except PermanentError as error:
            raise _problem(error) from error
        return _found(session, recall_id)


def _found(session: Session, recall_id: str) -> Recall:
    row = recalls.find_recall(session, recall_id)
    if row is None:
        raise ProblemError(404, "RECALL_UNKNOWN", "no such recall")
    return Recall.of(row)


def _at_nodes(rows: tuple[AtNode, ...]) -> list[ResultsAtNode]:
    return [ResultsAtNode.model_validate(row) for row in rows]


def _candidate(row: Candidate) -> RecallCandidate:
    return RecallCandidate.model_validate(row)


def _recalled(row: RecallJobRow) -> RecalledJob:
    return RecalledJob.model_validate(row)


_STATUSES = {"RECALL_UNKNOWN": 404, "RECALL_NO_CRITERION": 422}


def _problem(error: PermanentError) -> ProblemError:
    return ProblemError(_STATUSES.get(error.code, 409), error.code, error.message)
