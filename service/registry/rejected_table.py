"""What did not become an instance; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import AE_TITLE, CODE, DETAIL, PATH, ROW_ID, SHA256, ForeignText
from service.registry.tables import Table


class RejectedObject(Table):
    """Something refused or quarantined that did not become an instance; `path` is its place in the quarantine."""

    __tablename__ = "rejected_objects"
    __table_args__ = (Index(None, "path"), Index(None, "file_removed_at", "id"), Index(None, "reason_code"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    received_at: Mapped[datetime]
    reason_code: Mapped[str] = mapped_column(CODE)
    detail: Mapped[str] = mapped_column(DETAIL)
    calling_ae_title: Mapped[str] = mapped_column(AE_TITLE)
    sop_instance_uid: Mapped[str | None] = mapped_column(ForeignText(64))
    path: Mapped[str | None] = mapped_column(PATH)
    sha256: Mapped[str | None] = mapped_column(SHA256)
    file_removed_at: Mapped[datetime | None]
