"""Two objects of one exposure: the For Presentation one is processed, not the For Processing one.

Many detectors send both. They show the same exposure when they are of one Irradiation Event, or when the one names the
other in its Source Image Sequence (PS3.3 C.8.11.1.1.1). Whichever comes first, one companion is made: a For Processing
image waits a little for its sibling, and withdraws when that arrives before its turn has come. When nothing can be made
of the For Presentation image after all, the other one gets its turn.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from service.priorities import Priority
from service.registry import jobs
from service.registry.instance_facts import InstanceFacts
from service.registry.job_states import JobPurpose, JobState
from service.registry.tables import Instance, Job, Result, Series, Study

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
FOR_PRESENTATION_PREFERRED = "FOR_PRESENTATION_PREFERRED"
_DETAIL = "expected to be the only image of its exposure, found one For Presentation as well, which is processed"


def presentation_sibling(session: Session, facts: InstanceFacts) -> str | None:
    """For a For Processing image: why it is left alone, when one For Presentation is here and can be processed."""
    if facts.sop_class_uid != FOR_PROCESSING:
        return None
    study_id = session.scalar(select(Study.id).where(Study.study_instance_uid == facts.study_instance_uid))
    found = _is_presented(session, facts.sop_instance_uid, facts.irradiation_event_uid, study_id)
    return _DETAIL if found else None


def withdraw_siblings(session: Session, facts: InstanceFacts, *, now: datetime) -> list[str]:
    """For an eligible For Presentation image: withdraw the waiting jobs of its For Processing siblings; their ids."""
    if facts.sop_class_uid == FOR_PROCESSING:
        return []
    same = _same_exposure(facts.irradiation_event_uid, facts.made_from_uid)
    study_id = session.scalar(select(Study.id).where(Study.study_instance_uid == facts.study_instance_uid))
    return _withdraw_waiting(session, same, study_id, now)


def withdraw_siblings_of(session: Session, job_id: str, *, now: datetime) -> list[str]:
    """The same when the job of an image For Presentation starts again, in the transaction that starts it."""
    presented, study_id = _image_of(session, job_id)
    same = _same_exposure(presented.irradiation_event_uid, presented.made_from_uid)
    if presented.sop_class_uid == FOR_PROCESSING or not same:
        return []
    _hold_study(session, study_id)
    return _withdraw_waiting(session, same, study_id, now)


def _withdraw_waiting(
    session: Session, same: list[ColumnElement[bool]], study_id: int | None, now: datetime
) -> list[str]:
    if not same:
        return []
    waiting = session.scalars(
        select(Job.id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .where(
            or_(*same),
            Instance.sop_class_uid == FOR_PROCESSING,
            Series.study_id == study_id,
            Job.state == JobState.QUEUED,
            Job.purpose == JobPurpose.SUPPRESS,
        )
    ).all()
    return [
        job_id
        for job_id in waiting
        if jobs.withdraw(session, job_id, code=FOR_PRESENTATION_PREFERRED, detail=_DETAIL, now=now)
    ]


def reinstate_siblings(session: Session, job_id: str, *, now: datetime) -> list[str]:
    """Queue what was left alone for the sake of the image of `job_id`, of which nothing can be made; the jobs' ids.

    Called in the transaction that ends that job. The sweep announces them.
    """
    presented, study_id = _image_of(session, job_id)
    same = _same_exposure(presented.irradiation_event_uid, presented.made_from_uid)
    if presented.sop_class_uid == FOR_PROCESSING or not same:
        return []
    priority = jobs.priority_of(session, job_id)
    _hold_study(session, study_id)
    siblings = session.execute(
        select(Instance, Job)
        .join(Series, Series.id == Instance.series_id)
        .outerjoin(Job, (Job.instance_id == Instance.id) & (Job.purpose == JobPurpose.SUPPRESS))
        .where(or_(*same), Instance.sop_class_uid == FOR_PROCESSING, Series.study_id == study_id)
        .order_by(Instance.id)
        .execution_options(populate_existing=True)
    ).all()
    return [
        reinstated
        for sibling, job in siblings
        if not _is_presented(session, sibling.sop_instance_uid, sibling.irradiation_event_uid, study_id)
        and (reinstated := _reinstate(session, sibling, job, priority, now)) is not None
    ]


def _reinstate(session: Session, sibling: Instance, job: Job | None, priority: Priority, now: datetime) -> str | None:
    if job is not None:
        withdrawn = job.state is JobState.REFUSED and job.reason_code == FOR_PRESENTATION_PREFERRED
        return job.id if withdrawn and jobs.reinstate(session, job, now=now) else None
    if sibling.reason_code != FOR_PRESENTATION_PREFERRED:
        return None
    ours = update(Instance).where(Instance.id == sibling.id)
    session.execute(
        ours.values(eligible=True, reason_code=None, reason_detail=None).execution_options(synchronize_session=False)
    )
    return jobs.enqueue(session, sibling.id, now=now, priority=priority)


def _image_of(session: Session, job_id: str) -> tuple[Instance, int]:
    of_job = select(Instance, Series.study_id).join(Series, Series.id == Instance.series_id)
    image, study_id = session.execute(
        of_job.join(Job, Job.instance_id == Instance.id)
        .where(Job.id == job_id)
        .execution_options(populate_existing=True)
    ).one()
    return image, study_id


def _hold_study(session: Session, study_id: int) -> None:
    """Held as an arriving image holds it: one that arrives now sees what is done here, or is seen here."""
    session.execute(select(Study.id).where(Study.id == study_id).with_for_update(key_share=True))


def _same_exposure(irradiation_event_uid: str | None, made_from_uid: str | None) -> list[ColumnElement[bool]]:
    """Of an image For Presentation: what a row of the same exposure has, one or the other."""
    same: list[ColumnElement[bool]] = []
    if irradiation_event_uid:
        same.append(Instance.irradiation_event_uid == irradiation_event_uid)
    if made_from_uid:
        same.append(Instance.sop_instance_uid == made_from_uid)
    return same


def _is_presented(
    session: Session, sop_instance_uid: str, irradiation_event_uid: str | None, study_id: int | None
) -> bool:
    """Whether an image For Presentation of this exposure is here that is processed, or can still be."""
    same: list[ColumnElement[bool]] = [Instance.made_from_uid == sop_instance_uid]
    if irradiation_event_uid:
        same.append(Instance.irradiation_event_uid == irradiation_event_uid)
    failed = aliased(Job)
    nothing_made = exists().where(
        failed.instance_id == Instance.id,
        failed.purpose == JobPurpose.SUPPRESS,
        failed.state == JobState.FAILED,
        ~exists().where(Result.job_id == failed.id),
    )
    found = session.scalar(
        select(Instance.id)
        .join(Series, Series.id == Instance.series_id)
        .where(
            or_(*same),
            Instance.sop_class_uid != FOR_PROCESSING,
            Instance.eligible,
            Series.study_id == study_id,
            ~nothing_made,
        )
        .limit(1)
    )
    return found is not None
