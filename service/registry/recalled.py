"""What a recall in force means for a job and its deliveries: conditions for those who send, retry and tell."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from service.registry.job_states import DeliveryState
from service.registry.recall_states import IN_FORCE
from service.registry.recall_tables import Recall, RecallItem
from service.registry.tables import Delivery

RECALLED = "RECALLED"
"""Reason of a job whose results are taken back."""


def is_recalled(job_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    """Whether a recall of the job has been approved."""
    return exists().where(RecallItem.job_id == job_id, Recall.id == RecallItem.recall_id, Recall.state.in_(IN_FORCE))


def may_be_there() -> ColumnElement[bool]:
    """Of a delivery: the node took it, or was sent it and never answered."""
    unanswered = and_(
        Delivery.attempts > 0,
        Delivery.dimse_status.is_(None),
        Delivery.state.in_([DeliveryState.FAILED, DeliveryState.CANCELLED]),
    )
    return or_(Delivery.sent_at.is_not(None), unanswered)


def nodes_to_tell(note_job_id: str) -> Select[int]:
    """The remote nodes that may have something of what the note of `note_job_id` takes back."""
    return (
        select(Delivery.remote_node_id)
        .join(RecallItem, RecallItem.job_id == Delivery.job_id)
        .where(RecallItem.note_job_id == note_job_id, may_be_there())
        .distinct()
    )
