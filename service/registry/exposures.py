"""Two objects of one exposure: the For Presentation one is processed, not the For Processing one.

Many detectors send both. They show the same exposure when they are of one Irradiation Event, or when the one names the
other in its Source Image Sequence (PS3.3 C.8.11.1.1.1). Whichever comes first, one companion is made: a For Processing
image waits a little for its sibling, and withdraws when that arrives before its turn has come.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.instance_facts import InstanceFacts
from service.registry.job_states import JobPurpose, JobState
from service.registry.tables import Instance, Job, Series, Study

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
FOR_PRESENTATION_PREFERRED = "FOR_PRESENTATION_PREFERRED"
_DETAIL = "expected to be the only image of its exposure, found one For Presentation as well, which is processed"


def presentation_sibling(session: Session, facts: InstanceFacts) -> str | None:
    """For a For Processing image: why it is left alone, when an eligible For Presentation one is here already."""
    if facts.sop_class_uid != FOR_PROCESSING:
        return None
    same = [Instance.made_from_uid == facts.sop_instance_uid]
    if facts.irradiation_event_uid:
        same.append(Instance.irradiation_event_uid == facts.irradiation_event_uid)
    found = session.scalar(
        select(Instance.id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .where(
            or_(*same),
            Instance.sop_class_uid != FOR_PROCESSING,
            Instance.eligible,
            Study.study_instance_uid == facts.study_instance_uid,
        )
        .limit(1)
    )
    return None if found is None else _DETAIL


def withdraw_siblings(session: Session, facts: InstanceFacts, *, now: datetime) -> list[str]:
    """For an eligible For Presentation image: withdraw the waiting jobs of its For Processing siblings; their ids."""
    if facts.sop_class_uid == FOR_PROCESSING:
        return []
    same = []
    if facts.irradiation_event_uid:
        same.append(Instance.irradiation_event_uid == facts.irradiation_event_uid)
    if facts.made_from_uid:
        same.append(Instance.sop_instance_uid == facts.made_from_uid)
    if not same:
        return []
    waiting = session.scalars(
        select(Job.id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .where(
            or_(*same),
            Instance.sop_class_uid == FOR_PROCESSING,
            Study.study_instance_uid == facts.study_instance_uid,
            Job.state == JobState.QUEUED,
            Job.purpose == JobPurpose.SUPPRESS,
        )
    ).all()
    return [
        job_id
        for job_id in waiting
        if jobs.withdraw(session, job_id, code=FOR_PRESENTATION_PREFERRED, detail=_DETAIL, now=now)
    ]
