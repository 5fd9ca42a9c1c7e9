"""The job that a worker takes next: by priority, then fair between sources, then the oldest.

A message says that there is work, not which: whoever gets one takes the best job there is at that moment. So an image
marked STAT overtakes all that was announced before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.priorities import Priority
from service.registry import jobs
from service.registry.claims import Claim
from service.registry.job_states import JobPurpose
from service.registry.tables import Job
from service.registry.turns import make_due, ready

PRIOR_SHARE = 0.1
"""Of the images taken while both wait, how many are PRIOR instead of ROUTINE."""
_TRIES = 8


def claim_next(
    session: Session,
    *,
    owner: str,
    lease_s: float,
    now: datetime,
    chance: float,
    purpose: JobPurpose = JobPurpose.SUPPRESS,
    hinted: str | None = None,
) -> Claim | None:
    """Take the best job that is due; None: there is none. `chance` in [0, 1) draws for the share of the priors.

    Workers that ask at once pass over each other's rows (PostgreSQL) or take turns (SQLite). Where nothing waits, the
    job `hinted` is looked at: its worker may have died since it was announced.
    """
    for _ in range(_TRIES):
        job_id = _first(session, purpose, chance, now)
        if job_id is None:
            break
        claim = jobs.claim(session, job_id, owner=owner, lease_s=lease_s, now=now, purpose=purpose)
        if claim is not None:
            return claim
    if hinted is None:
        return None
    return jobs.claim(session, hinted, owner=owner, lease_s=lease_s, now=now, purpose=purpose)


def order_of_classes(chance: float) -> Sequence[Priority]:
    """STAT always first; of the two others now and then the prior, so that no flow of live work keeps it for ever."""
    if chance < PRIOR_SHARE:
        return (Priority.STAT, Priority.PRIOR, Priority.ROUTINE)
    return (Priority.STAT, Priority.ROUTINE, Priority.PRIOR)


def in_turn(purpose: JobPurpose, priority: Priority, limit: int) -> Select[str]:
    """The ids of the next `limit` jobs of a class, in the order in which they are taken."""
    return (
        select(Job.id)
        .where(*ready(purpose, priority))
        .order_by(Job.not_before, Job.turn, Job.created_at)  # the first is empty for all; the index begins with it
        .limit(limit)
    )


def _first(session: Session, purpose: JobPurpose, chance: float, now: datetime) -> str | None:
    for priority in order_of_classes(chance):
        make_due(session, purpose, priority, now=now)
        first = in_turn(purpose, priority, 1).with_for_update(skip_locked=True, key_share=True)
        job_id = session.scalar(first)
        if job_id is not None:
            return job_id
    return None
