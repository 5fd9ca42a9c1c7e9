"""Requests for storage commitment that others made of us; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, DETAIL, ROW_ID, UID
from service.registry.tables import Table


class CommitmentPromise(Table):
    """One N-ACTION of a remote node, to be answered by a report; `closed_at`: there is nothing more to be done.

    `requested` holds a line `SOP Class UID=SOP Instance UID` for each instance. `duplicate`: the Transaction UID was in
    use for other instances.
    """

    __tablename__ = "commitment_promises"
    __table_args__ = (Index(None, "closed_at", "id"), Index(None, "transaction_uid"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    transaction_uid: Mapped[str] = mapped_column(UID)
    remote_node_id: Mapped[int] = mapped_column(ForeignKey("remote_nodes.id"))
    requested: Mapped[str] = mapped_column(Text)
    duplicate: Mapped[bool]
    attempts: Mapped[int]
    not_before: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    fencing_token: Mapped[int]
    created_at: Mapped[datetime]
    reported_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
