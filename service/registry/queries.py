"""What the API and the command line show: frozen read models, newest first, no more than `limit` rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from service.registry.job_search import EVERY_JOB, JobFilter, jobs_with_origin, newest_jobs
from service.registry.job_states import JobPurpose, JobState
from service.registry.keyset import Key, older_than
from service.registry.read_models import (
    DeliveryRow as DeliveryRow,
)
from service.registry.read_models import (
    EventRow as EventRow,
)
from service.registry.read_models import (
    InstanceRow as InstanceRow,
)
from service.registry.read_models import (
    JobDetail as JobDetail,
)
from service.registry.read_models import (
    JobSummary as JobSummary,
)
from service.registry.read_models import (
    RejectionRow as RejectionRow,
)
from service.registry.read_models import (
    ResultRow as ResultRow,
)
from service.registry.read_models import (
    StudyDetail as StudyDetail,
)
from service.registry.read_models import (
    StudySummary as StudySummary,
)
from service.registry.tables import (
    Delivery,
    Instance,
    Job,
    JobEvent,
    RejectedObject,
    RemoteNode,
    Result,
    Series,
    Study,
)

COUNTED_AT_MOST = 10_000


def list_studies(
    session: Session,
    *,
    study_instance_uid: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    after: Key | None = None,
) -> list[StudySummary]:
    """Studies by the time of their last instance, which `since` (included) and `until` (not) narrow."""
    newest = select(Study).order_by(Study.last_received_at.desc(), Study.study_instance_uid.desc()).limit(limit)
    newest = newest.where(*older_than(after, Study.study_instance_uid, Study.last_received_at))
    if study_instance_uid is not None:
        newest = newest.where(Study.study_instance_uid == study_instance_uid)
    if since is not None:
        newest = newest.where(Study.last_received_at >= since)
    if until is not None:
        newest = newest.where(Study.last_received_at < until)
    return _study_summaries(session, session.scalars(newest).all())


def study_detail(session: Session, study_instance_uid: str) -> StudyDetail | None:
    """One Study; None when nothing of it was received."""
    study = session.scalar(select(Study).where(Study.study_instance_uid == study_instance_uid))
    if study is None:
        return None
    of_study = _instances().where(Study.id == study.id).order_by(Instance.id)
    return StudyDetail(_study_summaries(session, [study])[0], _instance_rows(session, of_study))


def list_ineligible(session: Session, *, limit: int = 50, after: Key | None = None) -> list[InstanceRow]:
    """Instances that were received and kept but are not for us, with the reason."""
    not_ours = _instances().where(Instance.reason_code.is_not(None), *older_than(after, Instance.id))
    return list(_instance_rows(session, not_ours.order_by(Instance.id.desc()).limit(limit)))


def list_jobs(
    session: Session,
    wanted: JobFilter = EVERY_JOB,
    *,
    limit: int = 50,
    after: Key | None = None,
) -> list[JobSummary]:
    """Jobs, those created last first."""
    return [_job_summary(*row) for row in session.execute(newest_jobs(wanted, limit=limit, after=after))]


def job_detail(session: Session, job_id: str) -> JobDetail | None:
    """One job with its history, oldest event first, and its deliveries; None when it is unknown."""
    row = session.execute(jobs_with_origin().where(Job.id == job_id)).one_or_none()
    if row is None:
        return None
    job, instance, _, _ = row
    events = session.scalars(select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id)).all()
    return JobDetail(
        summary=_job_summary(*row),
        not_before=job.not_before,
        lease_owner=job.lease_owner,
        lease_expires_at=job.lease_expires_at,
        model_sha256=job.model_sha256,
        source_path=instance.path,
        source_sha256=instance.sha256,
        results=_results(session, job_id),
        preview_source_path=job.preview_source_path,
        preview_soft_path=job.preview_soft_path,
        preview_bone_path=job.preview_bone_path,
        previews_removed_at=job.previews_removed_at,
        events=tuple(EventRow(e.at, e.event, e.from_state, e.to_state, e.detail) for e in events),
        deliveries=_deliveries(session, job_id),
    )


def counts_by_state(session: Session, at_most: int = COUNTED_AT_MOST) -> dict[JobState, int]:
    """The number of jobs in every state, 0 included; each is counted up to `at_most`, so that it costs no more."""
    counts = {}
    for state in JobState:
        some = select(Job.state).where(Job.state == state).limit(at_most).subquery()
        counts[state] = session.scalar(select(func.count()).select_from(some)) or 0
    return counts


def list_rejections(session: Session, *, limit: int = 50, after: Key | None = None) -> list[RejectionRow]:
    """Refused and quarantined objects, newest first."""
    newest = select(RejectedObject).where(*older_than(after, RejectedObject.id))
    newest = newest.order_by(RejectedObject.id.desc()).limit(limit)
    return [
        RejectionRow(r.received_at, r.reason_code, r.detail, r.calling_ae_title, r.sop_instance_uid, r.path, r.id)
        for r in session.scalars(newest).all()
    ]


def _instances() -> Select[Instance, Series, Study, Job]:
    return (
        select(Instance, Series, Study, Job)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .outerjoin(Job, _is_its_job())
    )


def _is_its_job() -> ColumnElement[bool]:
    """The job that makes the companion; the one that makes the notice is listed with the jobs alone."""
    return and_(Job.instance_id == Instance.id, Job.purpose == JobPurpose.SUPPRESS)


def _job_summary(job: Job, instance: Instance, series: Series, study: Study) -> JobSummary:
    return JobSummary(
        job_id=job.id,
        purpose=job.purpose,
        state=job.state,
        reason_code=job.reason_code,
        reason_detail=job.reason_detail,
        attempts=job.attempts,
        step=job.step,
        total_steps=job.total_steps,
        model_name=job.model_name,
        device=job.device,
        study_instance_uid=study.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=instance.sop_instance_uid,
        calling_ae_title=instance.calling_ae_title,
        created_at=job.created_at,
        updated_at=job.updated_at,
        priority=job.priority,
        late_at=job.late_at,
    )


def _instance_rows(session: Session, instances: Select[Instance, Series, Study, Job]) -> tuple[InstanceRow, ...]:
    return tuple(
        InstanceRow(
            row_id=instance.id,
            sop_instance_uid=instance.sop_instance_uid,
            sop_class_uid=instance.sop_class_uid,
            series_instance_uid=series.series_instance_uid,
            study_instance_uid=study.study_instance_uid,
            modality=series.modality,
            calling_ae_title=instance.calling_ae_title,
            received_at=instance.received_at,
            size_bytes=instance.size_bytes,
            reason_code=instance.reason_code,
            reason_detail=instance.reason_detail,
            job=None if job is None else _job_summary(job, instance, series, study),
        )
        for instance, series, study, job in session.execute(instances)
    )


def _study_summaries(session: Session, studies: Sequence[Study]) -> list[StudySummary]:
    wanted = [study.id for study in studies]
    counted = session.execute(
        select(Series.study_id, Job.state, func.count())
        .join(Instance, Instance.series_id == Series.id)
        .outerjoin(Job, _is_its_job())
        .where(Series.study_id.in_(wanted))
        .group_by(Series.study_id, Job.state)
    ).all()
    instance_count: dict[int, int] = defaultdict(int)
    jobs_by_state: dict[int, dict[JobState, int]] = defaultdict(dict)
    for study_id, state, count in counted:
        instance_count[study_id] += count
        if state is not None:
            jobs_by_state[study_id][state] = count
    return [
        StudySummary(
            study.study_instance_uid,
            study.first_received_at,
            study.last_received_at,
            instance_count[study.id],
            jobs_by_state[study.id],
        )
        for study in studies
    ]


def _results(session: Session, job_id: str) -> tuple[ResultRow, ...]:
    rows = session.scalars(select(Result).where(Result.job_id == job_id).order_by(Result.id)).all()
    return tuple(
        ResultRow(
            kind=row.kind,
            sop_class_uid=row.sop_class_uid,
            sop_instance_uid=row.sop_instance_uid,
            series_instance_uid=row.series_instance_uid,
            path=row.path,
            sha256=row.sha256,
            created_at=row.created_at,
        )
        for row in rows
    )


def _deliveries(session: Session, job_id: str) -> tuple[DeliveryRow, ...]:
    rows = session.execute(
        select(Delivery, Result.kind, Result.sop_instance_uid, RemoteNode.name)
        .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
        .join(Result, Result.id == Delivery.result_id)
        .where(Delivery.job_id == job_id)
        .order_by(RemoteNode.name, Delivery.id)
    ).all()
    return tuple(
        DeliveryRow(
            delivery_id=delivery.id,
            kind=kind,
            sop_instance_uid=sop_instance_uid,
            remote_node=name,
            state=delivery.state,
            attempts=delivery.attempts,
            not_before=delivery.not_before,
            dimse_status=delivery.dimse_status,
            reason_code=delivery.reason_code,
            reason_detail=delivery.reason_detail,
            updated_at=delivery.updated_at,
        )
        for delivery, kind, sop_instance_uid, name in rows
    )
