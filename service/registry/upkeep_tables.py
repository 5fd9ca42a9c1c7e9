"""What the registry remembers about the upkeep of the store and about admission; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, DETAIL
from service.registry.tables import Table


class AdmissionMark(Table):
    """Whether images are refused because of one thing (`disk`, `queue`), since when and why; kept across restarts."""

    __tablename__ = "admission_marks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    refusing: Mapped[bool]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
    changed_at: Mapped[datetime]


class UpkeepTask(Table):
    """One walk over the store or its rows, in small passes: where it stands, and who has it in hand.

    `position` is the task's own; empty: at the beginning. `lap_ended_at`: when everything had been seen once.
    """

    __tablename__ = "upkeep_tasks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[str] = mapped_column(String(255))
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    fencing_token: Mapped[int]
    passed_at: Mapped[datetime | None]
    lap_ended_at: Mapped[datetime | None]
