"""Which results a recall would take back: the dry run, and the list that becomes the recall's own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.keyset import Key, older_than
from service.registry.recall_tables import RecallItem
from service.registry.recalled import may_be_there
from service.registry.receipt_table import Receipt
from service.registry.tables import Delivery, Instance, Job, RemoteNode, Result, Series, Study


@dataclass(frozen=True)
class RecallCriteria:
    """What the results have in common; all that is given must hold, and something must be given.

    `model_sha256`: of the weights with their configuration. `service_version`: of softray, from the receipt; results
    without a receipt are not found by it. `source`: calling AE title of the sender. `received_from` (included) and
    `received_until` (not): when the image came.
    """

    model_sha256: str | None = None
    service_version: str | None = None
    source: str | None = None
    received_from: datetime | None = None
    received_until: datetime | None = None


@dataclass(frozen=True)
class AtNode:
    """How many results a remote node has, or may have, and how many still wait to go there."""

    node: str
    removed: bool
    there: int
    waiting: int


@dataclass(frozen=True)
class RecallPlan:
    """What a recall would touch: jobs with results, their studies, and where the results are."""

    jobs: int
    studies: int
    nodes: tuple[AtNode, ...]


@dataclass(frozen=True)
class Candidate:
    """A job that a recall would take back."""

    job_id: str
    study_instance_uid: str
    state: JobState
    source: str | None
    model_name: str | None
    model_sha256: str | None
    received_at: datetime


def plan(session: Session, criteria: RecallCriteria) -> RecallPlan:
    """Count what `criteria` find; nothing is written. Raises PermanentError RECALL_NO_CRITERION."""
    found = candidates(criteria)
    counted = session.execute(
        select(func.count(), func.count(func.distinct(Series.study_id)))
        .select_from(Job)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .where(Job.id.in_(found))
    ).one()
    return RecallPlan(counted[0], counted[1], at_nodes(session, Delivery.job_id.in_(found)))


def list_candidates(
    session: Session, criteria: RecallCriteria, *, limit: int, after: Key | None = None
) -> list[Candidate]:
    """The jobs that `criteria` find, those whose image came last first."""
    newest = (
        select(Job, Study.study_instance_uid)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .where(Job.id.in_(candidates(criteria)), *older_than(after, Job.id, Job.created_at))
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(limit)
    )
    return [
        Candidate(job.id, study, job.state, job.source, job.model_name, job.model_sha256, job.created_at)
        for job, study in session.execute(newest)
    ]


def candidates(criteria: RecallCriteria) -> Select[str]:
    """The ids of the jobs with results that `criteria` name, and that no recall has on its list."""
    if not any(getattr(criteria, one.name) is not None for one in fields(criteria)):
        raise PermanentError("RECALL_NO_CRITERION", "expected a model, version, source or time, found none of them")
    wanted: list[ColumnElement[bool]] = [
        Job.purpose == JobPurpose.SUPPRESS,
        exists().where(Result.job_id == Job.id),
        ~exists().where(RecallItem.job_id == Job.id),
    ]
    if criteria.model_sha256 is not None:
        wanted.append(Job.model_sha256 == criteria.model_sha256.lower())
    if criteria.service_version is not None:
        wanted.append(exists().where(Receipt.job_id == Job.id, Receipt.service_version == criteria.service_version))
    if criteria.source is not None:
        wanted.append(Job.source == criteria.source)
    if criteria.received_from is not None:
        wanted.append(Job.created_at >= criteria.received_from)
    if criteria.received_until is not None:
        wanted.append(Job.created_at < criteria.received_until)
    return select(Job.id).where(*wanted)


def at_nodes(session: Session, of_these: ColumnElement[bool]) -> tuple[AtNode, ...]:
    """Where the results of the deliveries `of_these` are, node by node."""
    waits = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
    rows = session.execute(
        select(
            RemoteNode.name,
            RemoteNode.removed_at,
            func.sum(case((may_be_there(), 1), else_=0)),
            func.sum(case((waits, 1), else_=0)),
        )
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .where(of_these)
        .group_by(RemoteNode.id, RemoteNode.name, RemoteNode.removed_at)
        .order_by(RemoteNode.name)
    ).all()
    return tuple(
        AtNode(name, removed_at is not None, int(there), int(waiting)) for name, removed_at, there, waiting in rows
    )
