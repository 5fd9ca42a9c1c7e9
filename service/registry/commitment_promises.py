"""Storage commitment as a provider: what remote nodes asked us to keep, and the report that each of them is owed.

The row is committed before the N-ACTION is answered. A report is judged when it is sent, not when it was asked for. The
caller commits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from service.registry.claims import Destination
from service.registry.compare_and_swap import swap_fenced
from service.registry.destinations import destination_of
from service.registry.promise_table import CommitmentPromise
from service.registry.remote_nodes import ANY_HOST
from service.registry.tables import Instance, RemoteNode


@dataclass(frozen=True)
class PromiseClaim:
    """The right to judge and report until the lease runs out; `requested` are pairs (SOP class, SOP instance)."""

    promise_id: int
    transaction_uid: str
    requested: tuple[tuple[str, str], ...]
    duplicate: bool
    fencing_token: int
    attempts: int
    node: Destination


@dataclass(frozen=True)
class HeldInstance:
    """An instance that we received, and where its file is."""

    sop_class_uid: str
    path: str
    sha256: str


class NoPromise(StrEnum):
    """Why a request for commitment cannot be taken on."""

    UNKNOWN_NODE = "UNKNOWN_NODE"
    NO_ADDRESS = "NO_ADDRESS"
    """Its node may call from anywhere, so nobody knows where to report to."""


def record_promise(
    session: Session, ae_title: str, transaction_uid: str, requested: Sequence[tuple[str, str]], *, now: datetime
) -> int | NoPromise:
    """Write down what the node called `ae_title` asks for; the row's id, or why there will be no report.

    The same request again is the same row, which is reported again. Another one under the same UID is a duplicate.
    """
    named = session.execute(
        select(RemoteNode.id, RemoteNode.host)
        .where(RemoteNode.ae_title == ae_title, RemoteNode.removed_at.is_(None))
        .order_by(RemoteNode.id)
    ).all()
    if not named:
        return NoPromise.UNKNOWN_NODE
    node_id = next((node.id for node in named if node.host != ANY_HOST), None)
    if node_id is None:
        return NoPromise.NO_ADDRESS
    lines = "\n".join(f"{sop_class}={instance}" for sop_class, instance in requested)
    former = session.scalars(
        select(CommitmentPromise).where(
            CommitmentPromise.transaction_uid == transaction_uid, CommitmentPromise.remote_node_id == node_id
        )
    ).all()
    same = next((promise for promise in former if promise.requested == lines), None)
    if same is not None:
        same.not_before, same.closed_at, same.attempts = None, None, 0
        session.flush()
        return same.id
    promise = CommitmentPromise(
        transaction_uid=transaction_uid,
        remote_node_id=node_id,
        requested=lines,
        duplicate=bool(former),
        attempts=0,
        fencing_token=0,
        created_at=now,
    )
    session.add(promise)
    session.flush()
    return promise.id


def due_promises(session: Session, *, now: datetime, limit: int) -> list[int]:
    """Whose report is due, oldest first."""
    return list(
        session.scalars(
            select(CommitmentPromise.id)
            .where(
                CommitmentPromise.closed_at.is_(None),
                or_(CommitmentPromise.not_before.is_(None), CommitmentPromise.not_before <= now),
                or_(CommitmentPromise.lease_expires_at.is_(None), CommitmentPromise.lease_expires_at <= now),
            )
            .order_by(CommitmentPromise.id)
            .limit(limit)
        )
    )


def claim_promise(
    session: Session, promise_id: int, *, owner: str, lease_s: float, now: datetime
) -> PromiseClaim | None:
    """Take a promise whose report is due; None: not to be had, or its node was removed."""
    promise = session.get(CommitmentPromise, promise_id, populate_existing=True)
    if promise is None or promise.closed_at is not None:
        return None
    if promise.lease_expires_at is not None and promise.lease_expires_at > now:
        return None
    node = session.get(RemoteNode, promise.remote_node_id)
    if node is None or node.removed_at is not None:
        _change(session, promise_id, promise.fencing_token, closed_at=now, reason_code="DESTINATION_REMOVED")
        return None
    token, attempts = promise.fencing_token + 1, promise.attempts + 1
    until = now + timedelta(seconds=lease_s)
    if not _change(
        session,
        promise_id,
        promise.fencing_token,
        fencing_token=token,
        attempts=attempts,
        lease_owner=owner,
        lease_expires_at=until,
    ):
        return None
    pairs = (line.partition("=") for line in promise.requested.splitlines())
    return PromiseClaim(
        promise_id=promise_id,
        transaction_uid=promise.transaction_uid,
        requested=tuple((sop_class, instance) for sop_class, _, instance in pairs),
        duplicate=promise.duplicate,
        fencing_token=token,
        attempts=attempts,
        node=destination_of(node),
    )


def promise_reported(session: Session, claim: PromiseClaim, *, detail: str, now: datetime) -> bool:
    """The node has taken the report."""
    return _end(session, claim, reported_at=now, closed_at=now, reason_code=None, reason_detail=detail)


def promise_postponed(
    session: Session, claim: PromiseClaim, *, code: str, detail: str, not_before: datetime | None
) -> bool:
    """The report could not be made or delivered; again at `not_before`."""
    return _end(session, claim, not_before=not_before, reason_code=code, reason_detail=detail)


def promise_given_up(session: Session, claim: PromiseClaim, *, code: str, detail: str, now: datetime) -> bool:
    """The node does not take the report; it will ask again if it needs one."""
    return _end(session, claim, closed_at=now, reason_code=code, reason_detail=detail)


def hold(session: Session, sop_instance_uids: Collection[str], *, now: datetime) -> set[str]:
    """Keep the files of these instances from retention for good; those that it has not removed already.

    Committed before anybody is told: once told, a modality deletes its own.
    """
    held = update(Instance).where(
        Instance.sop_instance_uid.in_(list(sop_instance_uids)), Instance.file_removed_at.is_(None)
    )
    promised = held.values(promised_at=func.coalesce(Instance.promised_at, now)).returning(Instance.sop_instance_uid)
    return set(session.scalars(promised.execution_options(synchronize_session=False)).all())


def held_instance(session: Session, sop_instance_uid: str) -> HeldInstance | None:
    """The received instance under this UID; None as well when retention has removed its file."""
    row = session.execute(
        select(Instance.sop_class_uid, Instance.path, Instance.sha256).where(
            Instance.sop_instance_uid == sop_instance_uid, Instance.file_removed_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else HeldInstance(row.sop_class_uid, row.path, row.sha256)


def _end(session: Session, claim: PromiseClaim, **values: object) -> bool:
    return _change(session, claim.promise_id, claim.fencing_token, lease_owner=None, lease_expires_at=None, **values)


def _change(session: Session, promise_id: int, seen_token: int, **values: object) -> bool:
    return swap_fenced(session, CommitmentPromise, CommitmentPromise.id == promise_id, seen_token, values)
