"""Whether images are refused because of the disk or the queue: said by the nodes, read by API, metrics and doctor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.orm import Session

from service.registry.upkeep_tables import AdmissionMark

DISK = "disk"
QUEUE = "queue"


@dataclass(frozen=True)
class MarkRow:
    """One mark as a node left it; `code` and `detail` say why images are refused."""

    name: str
    refusing: bool
    code: str | None
    detail: str | None
    changed_at: datetime


def read_marks(session: Session) -> dict[str, MarkRow]:
    """By name; one that was never passed is absent."""
    rows = session.execute(select(AdmissionMark.__table__)).all()
    return {
        row.name: MarkRow(row.name, row.refusing, row.reason_code, row.reason_detail, row.changed_at) for row in rows
    }


def record_mark(
    session: Session, name: str, *, refusing: bool, code: str | None, detail: str | None, now: datetime
) -> bool:
    """Write the change down; False: it was written already, by another process. The caller commits."""
    values = {"refusing": refusing, "reason_code": code, "reason_detail": detail, "changed_at": now}
    known = session.scalar(select(AdmissionMark.refusing).where(AdmissionMark.name == name))
    if known is None:
        session.execute(insert(AdmissionMark).values(name=name, **values))
        return True
    changed = session.execute(
        update(AdmissionMark)
        .where(AdmissionMark.name == name, AdmissionMark.refusing.is_not(refusing))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1
