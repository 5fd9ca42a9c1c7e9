"""Work that stands still, for `softray doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Job

LEASE_LONG_EXPIRED_S = 300.0
DUE_FOR_LONG_S = 900.0
UNDELIVERED_FOR_LONG_S = 3600.0


@dataclass(frozen=True)
class Standstill:
    """Numbers of jobs or deliveries. `dead_leases`: running, by a worker long silent; `due`: queued and due for long;
    `undelivered`: deliveries due for long; `without_destination`: derived, and nobody receives it; `failed`: jobs."""

    dead_leases: int
    due: int
    undelivered: int
    without_destination: int
    failed: int


def standstill(session: Session, *, now: datetime) -> Standstill:
    """What stands still at `now`."""

    def jobs(*conditions: object) -> int:
        counted = select(func.count()).select_from(Job).where(*conditions)  # type: ignore[arg-type]
        return session.scalar(counted) or 0

    def ago(seconds: float) -> datetime:
        return now - timedelta(seconds=seconds)

    has_delivery = select(Delivery.id).where(Delivery.job_id == Job.id).exists()
    undelivered = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.updated_at <= ago(UNDELIVERED_FOR_LONG_S))
    )
    due_for_long = ago(DUE_FOR_LONG_S)
    return Standstill(
        dead_leases=jobs(Job.state == JobState.RUNNING, Job.lease_expires_at <= ago(LEASE_LONG_EXPIRED_S)),
        due=jobs(
            Job.state == JobState.QUEUED,
            Job.updated_at <= due_for_long,
            or_(Job.not_before.is_(None), Job.not_before <= due_for_long),
        ),
        undelivered=session.scalar(undelivered) or 0,
        without_destination=jobs(Job.state == JobState.DERIVED, ~has_delivery),
        failed=jobs(Job.state == JobState.FAILED),
    )
