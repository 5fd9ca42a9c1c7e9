"""The one write that decides races: a leased row changes only if it is still as the writer saw it.

Jobs, deliveries and commitment requests are leased rows, with a state, a fencing token and a lease. What a change means
and which history it leaves is theirs to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, update
from sqlalchemy.orm import Session

from service.registry.job_states import CommitmentState, DeliveryState, JobState
from service.registry.tables import CommitmentRequest, Delivery, Job

LeasedTable = type[Job] | type[Delivery] | type[CommitmentRequest]
NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}


def swap(
    session: Session,
    table: LeasedTable,
    row_id: str | int,
    state: JobState | DeliveryState | CommitmentState,
    fencing_token: int,
    values: dict[str, Any],
    now: datetime,
    *conditions: ColumnElement[bool],
) -> bool:
    """True when the row still had `state`, `fencing_token` and `conditions`, and now holds `values`."""
    changed = session.execute(
        update(table)
        .where(table.id == row_id, table.state == state, table.fencing_token == fencing_token, *conditions)
        .values(**values, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def mark_announced(
    session: Session, table: type[Job] | type[Delivery], row_ids: Sequence[str | int], now: datetime
) -> None:
    """Note that a message about each of these rows is about to be sent."""
    if row_ids:
        marked = update(table).where(table.id.in_(row_ids)).values(announced_at=now)
        session.execute(marked.execution_options(synchronize_session=False))
