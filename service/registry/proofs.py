"""The proof of a delivery: what a node that was sent a result says about it afterwards.

Every function holds the job's row first, as those of `deliveries` do. The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from service.registry import job_endings, jobs
from service.registry.compare_and_swap import swap
from service.registry.job_states import DeliveryState, JobState, check_delivery
from service.registry.settlement import settle_job, settle_proof
from service.registry.tables import Delivery, Job, RemoteNode, Result

_OF_WHICH_SOMETHING_MAY_BE_SENT = frozenset({JobState.DERIVED, JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED})


def delivery_proven(
    session: Session, delivery_id: int, *, state: DeliveryState, detail: str | None, now: datetime
) -> bool:
    """SENT to COMMITTED or VERIFIED; False: it is not SENT any more."""
    found = _held(session, delivery_id)
    if found is None:
        return False
    job, delivery, what = found
    history = f"{what}: {detail}" if detail else what
    if not _move(session, delivery, state, f"delivery_{state.lower()}", history, {}, now):
        return False
    settle_proof(session, job, now)
    return True


def delivery_not_there(
    session: Session, delivery_id: int, *, code: str, detail: str, most_resends: int, now: datetime
) -> DeliveryState | None:
    """SENT to PENDING, to be sent again; to FAILED after `most_resends` times. The new state; None: not SENT any more.

    A job that was DELIVERED becomes DERIVED again, since it is not. One that has FAILED, for the sake of another
    delivery, or was CANCELLED stays so: then this delivery fails as well, and whoever retries the job sends it too.
    """
    found = _held(session, delivery_id)
    if found is None:
        return None
    job, delivery, what = found
    failed = job.state in {JobState.FAILED, JobState.CANCELLED}
    again = delivery.resends < most_resends and not failed
    target = DeliveryState.PENDING if again else DeliveryState.FAILED
    history = f"{what}: {code}: {detail}"
    values = {
        "resends": delivery.resends + 1,
        "attempts": 0,
        "not_before": None,
        "announced_at": None,
        "commitment_request_id": None,
        "reason_code": code,
        "reason_detail": detail,
    }
    if not _move(session, delivery, target, "delivery_resent" if again else "delivery_failed", history, values, now):
        return None
    if failed:
        return target
    job_endings.deliver_again(session, job, detail=f"{what}: {code}", now=now)
    if not again:
        settle_job(session, jobs.locked(session, job.id) or job, now)
    return target


def _held(session: Session, delivery_id: int) -> tuple[Job, Delivery, str] | None:
    named = session.get(Delivery, delivery_id)
    job = jobs.locked(session, named.job_id) if named is not None else None
    if job is None or job.state not in _OF_WHICH_SOMETHING_MAY_BE_SENT:
        return None
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    if delivery is None or delivery.state is not DeliveryState.SENT:
        return None
    node, result = session.get(RemoteNode, delivery.remote_node_id), session.get(Result, delivery.result_id)
    return job, delivery, f"{result.kind if result else '?'} to {node.name if node else '?'}"


def _move(
    session: Session,
    delivery: Delivery,
    target: DeliveryState,
    event: str,
    history: str,
    values: Mapping[str, object],
    now: datetime,
) -> bool:
    check_delivery(DeliveryState.SENT, target)
    changed = {"state": target, "fencing_token": delivery.fencing_token + 1, **values}
    if not swap(session, Delivery, delivery.id, DeliveryState.SENT, delivery.fencing_token, changed, now):
        return False
    jobs.note(session, delivery.job_id, event, history, now)
    return True
