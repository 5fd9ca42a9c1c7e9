"""The one write that decides races: a leased row changes only if it is still as the writer saw it.

Jobs, deliveries and commitment requests are leased rows, with a state, a fencing token and a lease. What a change means
and which history it leaves is theirs to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, or_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.registry.job_states import CommitmentState, DeliveryState, JobState
from service.registry.promise_table import CommitmentPromise
from service.registry.tables import CommitmentRequest, Delivery, Job
from service.registry.upkeep_tables import UpkeepTask

LeasedTable = type[Job] | type[Delivery] | type[CommitmentRequest]
FencedTable = type[CommitmentPromise] | type[UpkeepTask]
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


def swap_fenced(
    session: Session, table: FencedTable, this_row: ColumnElement[bool], fencing_token: int, values: dict[str, object]
) -> bool:
    """The same for a row without a state: True when `this_row` still had `fencing_token`, and now holds `values`."""
    changed = session.execute(
        update(table)
        .where(this_row, table.fencing_token == fencing_token)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def mark_announced(
    session: Session, table: type[Job] | type[Delivery], row_ids: Sequence[str | int], at: datetime | None
) -> None:
    """Note when the sweep sent a message about each of these rows; None: it could not."""
    if row_ids:
        marked = update(table).where(table.id.in_(row_ids)).values(announced_at=at)
        session.execute(marked.execution_options(synchronize_session=False))


def not_announced_lately(
    announced_at: InstrumentedAttribute[datetime | None], now: datetime, silent_for_s: float
) -> ColumnElement[bool]:
    """Whether a row's last message is unknown, or older than `silent_for_s`.

    A time that lies ahead was written before the clock was set back, and says nothing.
    """
    silence = timedelta(seconds=silent_for_s)
    return or_(announced_at.is_(None), announced_at <= now - silence, announced_at > now + silence)
