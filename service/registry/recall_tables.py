"""Recalls and the jobs that each takes back; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import AE_TITLE, DETAIL, JOB_ID, SHA256, ForeignText
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.tables import Table


class Recall(Table):
    """One order to take results back: what was asked for, by whom, approved by whom.

    The criteria (`model_sha256` … `received_until`) say how its jobs were found when it was proposed; the list itself
    is `recall_items` and does not change after that. `words` tells the readers of the note why.
    """

    __tablename__ = "recalls"
    __table_args__ = (
        CheckConstraint("approved_by IS NULL OR approved_by <> proposed_by", name="ck_recalls_two_people"),
        Index(None, "state", "proposed_at"),
        Index(None, "proposed_at", "id"),
    )

    id: Mapped[str] = mapped_column(JOB_ID, primary_key=True)
    state: Mapped[RecallState]
    reason: Mapped[RecallReason]
    words: Mapped[str] = mapped_column(DETAIL)
    model_sha256: Mapped[str | None] = mapped_column(SHA256)
    service_version: Mapped[str | None] = mapped_column(ForeignText(64))
    source: Mapped[str | None] = mapped_column(AE_TITLE)
    received_from: Mapped[datetime | None]
    received_until: Mapped[datetime | None]
    proposed_by: Mapped[str] = mapped_column(String(255))
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(255))
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RecallItem(Table):
    """One job whose results a recall takes back; a job is in one recall at most.

    `note_job_id` is the job (RETRACTION) that makes and delivers the rejection note of its study.
    """

    __tablename__ = "recall_items"
    __table_args__ = (Index(None, "recall_id", "state", "job_id"), Index(None, "note_job_id"))

    job_id: Mapped[str] = mapped_column(JOB_ID, ForeignKey("jobs.id"), primary_key=True)
    recall_id: Mapped[str] = mapped_column(JOB_ID, ForeignKey("recalls.id"))
    state: Mapped[RecallItemState]
    note_job_id: Mapped[str | None] = mapped_column(JOB_ID, ForeignKey("jobs.id"))
