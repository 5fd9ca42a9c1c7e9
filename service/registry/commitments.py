"""Requests for storage commitment: claimed like any leased row, and never asked twice.

A row is one Transaction UID and at most one N-ACTION; whoever asks again does so under a new row with a fresh one
(archives refuse a known UID, or answer for the old request). The row is committed before the N-ACTION leaves, so that a
report always finds it, however soon or late it comes. What is not answered, or not taken on, is followed up: EXPIRED
and REFUSED rows with `not_before` still have that before them. The caller commits.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.commitment_claims import RequestClaim, Step
from service.registry.commitment_plan import awaited_instances, insert_request
from service.registry.compare_and_swap import NO_LEASE, swap
from service.registry.destinations import destination_of
from service.registry.job_states import CommitmentState
from service.registry.tables import CommitmentRequest, RemoteNode

_FOLLOWED_UP = (CommitmentState.EXPIRED, CommitmentState.REFUSED)


def due_requests(session: Session, *, now: datetime, limit: int) -> list[int]:
    """Expire what was not reported in time, then name what is to be asked or looked for, oldest first."""
    late = session.execute(
        select(CommitmentRequest.id, CommitmentRequest.fencing_token, CommitmentRequest.attempts, RemoteNode.verifies)
        .join(RemoteNode, RemoteNode.id == CommitmentRequest.remote_node_id)
        .where(CommitmentRequest.state == CommitmentState.REQUESTED, CommitmentRequest.expires_at <= now)
        .order_by(CommitmentRequest.expires_at)
        .limit(limit)
        .with_for_update(of=CommitmentRequest, skip_locked=True, key_share=True)
    ).all()
    for row in late:
        # Where the node can be looked at, the looks are counted anew; else the number of requests goes on counting.
        values = {"not_before": now, "attempts": 0 if row.verifies else row.attempts, **NO_LEASE}
        values |= _reason("NO_REPORT", "no report came in time")
        if _swap(session, row.id, CommitmentState.REQUESTED, row.fencing_token, CommitmentState.EXPIRED, values, now):
            _note(session, row.id, "commitment_expired", "no report came in time", now)
    free = or_(CommitmentRequest.lease_expires_at.is_(None), CommitmentRequest.lease_expires_at <= now)
    due = or_(CommitmentRequest.not_before.is_(None), CommitmentRequest.not_before <= now)
    return list(
        session.scalars(
            select(CommitmentRequest.id)
            .join(RemoteNode, RemoteNode.id == CommitmentRequest.remote_node_id)
            .where(
                or_(
                    and_(CommitmentRequest.state == CommitmentState.PLANNED, due),
                    and_(CommitmentRequest.state.in_(_FOLLOWED_UP), CommitmentRequest.not_before <= now),
                ),
                free,
                or_(RemoteNode.paused_until.is_(None), RemoteNode.paused_until <= now),
            )
            .order_by(CommitmentRequest.id)
            .limit(limit)
        )
    )


def claim_request(
    session: Session, request_id: int, *, owner: str, lease_s: float, now: datetime
) -> RequestClaim | None:
    """Take a request that is due; None: not to be had, or there is nothing left to ask for.

    One whose holder died while asking may have been sent already, so it is asked again under a fresh Transaction UID.
    """
    request = session.get(CommitmentRequest, request_id, populate_existing=True)
    if request is None or (request.lease_expires_at is not None and request.lease_expires_at > now):
        return None
    if request.state is not CommitmentState.PLANNED and (request.state not in _FOLLOWED_UP or not request.not_before):
        return None
    if request.not_before is not None and request.not_before > now:
        return None
    if request.state is CommitmentState.PLANNED and request.lease_owner is not None:
        # The attempts go on counting: a request that ends its worker each time must end some time as well.
        asked = request.attempts
        _replace(session, request.id, request.state, request.fencing_token, "LEASE_EXPIRED", None, now, now, asked)
        return None
    node = session.get(RemoteNode, request.remote_node_id)
    instances = awaited_instances(session, request_id)
    if node is None or node.removed_at is not None or not instances:
        code = "NOTHING_LEFT" if not instances else "DESTINATION_REMOVED"
        values = {"not_before": None, "reason_code": code, "reason_detail": None, **NO_LEASE}
        target = CommitmentState.EXPIRED if request.state is CommitmentState.PLANNED else request.state
        _swap(session, request.id, request.state, request.fencing_token, target, values, now)
        return None
    asking = request.state is CommitmentState.PLANNED
    token, attempts = request.fencing_token + 1, request.attempts + 1
    values = {"fencing_token": token, "attempts": attempts, "lease_owner": owner}
    values |= {"lease_expires_at": now + timedelta(seconds=lease_s)}
    if asking:
        values["requested_at"] = now
    if not _swap(session, request.id, request.state, request.fencing_token, request.state, values, now):
        return None
    return RequestClaim(
        request_id=request.id,
        transaction_uid=request.transaction_uid,
        step=Step.ASK if asking else Step.VERIFY,
        refused=request.state is CommitmentState.REFUSED,
        verifies=node.verifies,
        fencing_token=token,
        attempts=attempts,
        node=destination_of(node),
        instances=instances,
    )


def holds(session: Session, claim: RequestClaim) -> bool:
    """Whether the request is the claim's still; held against others until the transaction ends."""
    mine = select(CommitmentRequest.id).where(
        CommitmentRequest.id == claim.request_id,
        CommitmentRequest.state == _state(claim),
        CommitmentRequest.fencing_token == claim.fencing_token,
    )
    return session.scalar(mine.with_for_update(key_share=True)) is not None


def request_accepted(session: Session, claim: RequestClaim, *, timeout_s: float, now: datetime) -> bool:
    """PLANNED to REQUESTED; False: the report was faster, or somebody else has the row."""
    values = {"expires_at": now + timedelta(seconds=timeout_s), "not_before": None, **_NO_REASON, **NO_LEASE}
    if not _end(session, claim, CommitmentState.REQUESTED, values, now):
        return False
    _note(session, claim.request_id, "commitment_requested", f"{claim.node.name}: {claim.transaction_uid}", now)
    return True


def request_postponed(
    session: Session, claim: RequestClaim, *, code: str, detail: str, not_before: datetime, now: datetime
) -> bool:
    """Nothing reached the node, or it could not be looked up: the same row again at `not_before`."""
    values = {"not_before": not_before, "requested_at": None, **_reason(code, detail), **NO_LEASE}
    if claim.step is Step.VERIFY:
        del values["requested_at"]
    return _end(session, claim, _state(claim), values, now)


def request_replaced(
    session: Session, claim: RequestClaim, *, code: str, detail: str | None, not_before: datetime, now: datetime
) -> bool:
    """Ask again under a fresh Transaction UID, since this one may have reached the node; its report still counts."""
    asked = claim.attempts if claim.step is Step.ASK else claim.attempts - 1
    return _replace(session, claim.request_id, _state(claim), claim.fencing_token, code, detail, not_before, now, asked)


def request_refused(session: Session, claim: RequestClaim, *, code: str, detail: str, now: datetime) -> bool:
    """PLANNED to REFUSED, to be followed up at once: the node does not take such requests."""
    values = {"not_before": now, "attempts": 0, **_reason(code, detail), **NO_LEASE}
    if not _end(session, claim, CommitmentState.REFUSED, values, now):
        return False
    _note(session, claim.request_id, "commitment_refused", f"{claim.node.name}: {code}: {detail}", now)
    return True


def request_given_up(session: Session, claim: RequestClaim, *, code: str, detail: str, now: datetime) -> bool:
    """PLANNED to EXPIRED, to be followed up at once: the node could not be asked often enough."""
    attempts = 0 if claim.verifies else claim.attempts
    values = {"not_before": now, "attempts": attempts, **_reason(code, detail), **NO_LEASE}
    if not _end(session, claim, CommitmentState.EXPIRED, values, now):
        return False
    _note(session, claim.request_id, "commitment_not_asked", f"{claim.node.name}: {code}: {detail}", now)
    return True


def follow_up_ended(session: Session, claim: RequestClaim, *, detail: str | None, now: datetime) -> bool:
    """Nothing more is done about this request; with `detail`, its jobs' histories say so."""
    if not _end(session, claim, _state(claim), {"not_before": None, **NO_LEASE}, now):
        return False
    if detail is not None:
        _note(session, claim.request_id, "commitment_not_followed", f"{claim.node.name}: {detail}", now)
    return True


_NO_REASON: dict[str, Any] = {"reason_code": None, "reason_detail": None}


def _reason(code: str, detail: str | None) -> dict[str, Any]:
    return {"reason_code": code, "reason_detail": detail}


def _state(claim: RequestClaim) -> CommitmentState:
    if claim.step is Step.ASK:
        return CommitmentState.PLANNED
    return CommitmentState.REFUSED if claim.refused else CommitmentState.EXPIRED


def _replace(
    session: Session,
    request_id: int,
    state: CommitmentState,
    fencing_token: int,
    code: str,
    detail: str | None,
    not_before: datetime,
    now: datetime,
    attempts: int,
) -> bool:
    values = {"not_before": None, **_reason(code, detail), **NO_LEASE}
    target = CommitmentState.EXPIRED if state is CommitmentState.PLANNED else state
    if not _swap(session, request_id, state, fencing_token, target, values, now):
        return False
    request = session.get(CommitmentRequest, request_id, populate_existing=True)
    awaited = [instance.delivery_id for instance in awaited_instances(session, request_id)]
    if request is not None and awaited:
        insert_request(session, request.remote_node_id, awaited, attempts=attempts, not_before=not_before, now=now)
    return True


def _end(session: Session, claim: RequestClaim, target: CommitmentState, values: dict[str, Any], now: datetime) -> bool:
    return _swap(session, claim.request_id, _state(claim), claim.fencing_token, target, values, now)


def _swap(
    session: Session,
    request_id: int,
    state: CommitmentState,
    fencing_token: int,
    target: CommitmentState,
    values: dict[str, Any],
    now: datetime,
) -> bool:
    return swap(session, CommitmentRequest, request_id, state, fencing_token, {"state": target, **values}, now)


def _note(session: Session, request_id: int, event: str, detail: str, now: datetime) -> None:
    for job_id in dict.fromkeys(instance.job_id for instance in awaited_instances(session, request_id)):
        jobs.note(session, job_id, event, detail, now)
