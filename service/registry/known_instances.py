"""Which instances softray has already: received ones, and those it made itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry.tables import Instance, Result

_AT_ONCE = 500  # SQLite takes a limited number of parameters in one statement


def received_instances(session: Session, sop_instance_uids: Sequence[str]) -> set[str]:
    """Those of `sop_instance_uids` that were received."""
    found: set[str] = set()
    for part in _parts(sop_instance_uids):
        found |= set(session.scalars(select(Instance.sop_instance_uid).where(Instance.sop_instance_uid.in_(part))))
    return found


def known_instances(session: Session, sop_instance_uids: Sequence[str]) -> set[str]:
    """Those of `sop_instance_uids` that were received, or that are results of ours in the archive."""
    found = received_instances(session, sop_instance_uids)
    for part in _parts(sop_instance_uids):
        found |= set(session.scalars(select(Result.sop_instance_uid).where(Result.sop_instance_uid.in_(part))))
    return found


def _parts(uids: Sequence[str]) -> list[Sequence[str]]:
    return [uids[start : start + _AT_ONCE] for start in range(0, len(uids), _AT_ONCE)]
