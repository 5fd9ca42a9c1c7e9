"""Our requests for storage commitment; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, DETAIL, ROW_ID, UID
from service.registry.job_states import CommitmentState
from service.registry.tables import Table


class CommitmentRequest(Table):
    """One request to one remote node to say that it keeps the instances of the deliveries that point here."""

    __tablename__ = "commitment_requests"
    __table_args__ = (
        Index(None, "state", "expires_at"),
        Index(None, "state", "not_before"),
        Index(None, "remote_node_id", "state"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    transaction_uid: Mapped[str] = mapped_column(UID, unique=True)
    remote_node_id: Mapped[int] = mapped_column(ForeignKey("remote_nodes.id"))
    state: Mapped[CommitmentState]
    attempts: Mapped[int]
    not_before: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    fencing_token: Mapped[int]
    created_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
    updated_at: Mapped[datetime]
