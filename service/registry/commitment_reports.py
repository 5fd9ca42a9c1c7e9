"""What a remote node says, or is found, to have of the results that it was sent.

A report is taken whenever it comes: before the N-ACTION was answered, after the request has expired, twice. But only
from the node that was asked: a proof that anybody could give who knows the Transaction UID would prove nothing. The
caller commits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry import jobs
from service.registry.commitment_plan import awaited_instances
from service.registry.compare_and_swap import NO_LEASE, swap
from service.registry.job_states import CommitmentState, DeliveryState
from service.registry.proofs import delivery_not_there, delivery_proven
from service.registry.tables import CommitmentRequest, Delivery, RemoteNode, Result

COMMITMENT_FAILED = "COMMITMENT_FAILED"
NOT_REPORTED = "NOT_REPORTED"


class ReportReception(StrEnum):
    """What a report was to us."""

    RECORDED = "RECORDED"
    KNOWN = "KNOWN"
    UNKNOWN_TRANSACTION = "UNKNOWN_TRANSACTION"
    NOT_ASKED = "NOT_ASKED"
    """It came from another node than the one that was asked."""


def record_report(
    session: Session,
    transaction_uid: str,
    *,
    reporting_ae_title: str,
    committed: Collection[str],
    failed: Mapping[str, str],
    most_resends: int,
    now: datetime,
) -> ReportReception:
    """Take the archive's report: `committed` SOP Instance UIDs, and `failed` ones with their reason codes.

    What the request named and the report does not counts as failed. What is failed is sent again, the same bytes, at
    most `most_resends` times.
    """
    request = session.scalar(
        select(CommitmentRequest)
        .where(CommitmentRequest.transaction_uid == transaction_uid)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    # Nobody was told the Transaction UID of a request that has not left.
    if request is None or request.requested_at is None:
        return ReportReception.UNKNOWN_TRANSACTION
    if reporting_ae_title not in _titles_of(session, request.remote_node_id):
        return ReportReception.NOT_ASKED
    values = {
        "state": CommitmentState.REPORTED,
        "fencing_token": request.fencing_token + 1,
        "reported_at": now,
        "not_before": None,
        "reason_code": next(iter(failed.values()), None),
        "reason_detail": f"{len(committed)} committed, {len(failed)} failed",
        **NO_LEASE,
    }
    reported = request.state is CommitmentState.REPORTED
    if reported or not swap(session, CommitmentRequest, request.id, request.state, request.fencing_token, values, now):
        return ReportReception.KNOWN
    asked = awaited_instances(session, request.id)
    # What points to this request was sent before it, whatever a clock that was set back meanwhile says.
    proven = [instance.delivery_id for instance in asked if instance.sop_instance_uid in committed]
    proven += [late for late in _committed_deliveries(session, request, committed) if late not in set(proven)]
    # All in one order: two nodes that report on the same jobs must not each hold what the other waits for.
    for job_id in sorted({instance.job_id for instance in asked} | set(_jobs_of(session, proven))):
        jobs.locked(session, job_id)
    for delivery_id in proven:
        delivery_proven(session, delivery_id, state=DeliveryState.COMMITTED, detail=transaction_uid, now=now)
    for instance in asked:
        if instance.sop_instance_uid not in committed:
            code = failed.get(instance.sop_instance_uid, NOT_REPORTED)
            send_again(session, instance.delivery_id, code=code, most_resends=most_resends, now=now)
    return ReportReception.RECORDED


def send_again(session: Session, delivery_id: int, *, code: str, most_resends: int, now: datetime) -> None:
    """The node does not have it: PENDING once more, or FAILED with COMMITMENT_FAILED if that was done often enough."""
    resends = session.scalar(select(Delivery.resends).where(Delivery.id == delivery_id)) or 0
    detail = f"the node does not have it ({code}), sent again {resends} times before"
    delivery_not_there(
        session,
        delivery_id,
        code=code if resends < most_resends else COMMITMENT_FAILED,
        detail=detail,
        most_resends=most_resends,
        now=now,
    )


def _titles_of(session: Session, remote_node_id: int) -> set[str]:
    """The AE title of the node that was asked, and those that are registered at the same host: an archive may report
    under another title than it stores under."""
    asked = session.get(RemoteNode, remote_node_id)
    if asked is None:
        return set()
    same_host = select(RemoteNode.ae_title).where(RemoteNode.host == asked.host, RemoteNode.removed_at.is_(None))
    return {asked.ae_title, *session.scalars(same_host)}


def _jobs_of(session: Session, delivery_ids: Sequence[int]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(delivery_ids), 500):
        part = delivery_ids[start : start + 500]
        found += session.scalars(select(Delivery.job_id).where(Delivery.id.in_(part))).all()
    return found


def _committed_deliveries(session: Session, request: CommitmentRequest, committed: Collection[str]) -> list[int]:
    """What the report proves: a late one on an earlier request too, unless the instance was sent again since."""
    if not committed:
        return []
    found: list[int] = []
    uids = list(committed)
    for start in range(0, len(uids), 500):
        found += session.scalars(
            select(Delivery.id)
            .join(Result, Result.id == Delivery.result_id)
            .where(
                Result.sop_instance_uid.in_(uids[start : start + 500]),
                Delivery.remote_node_id == request.remote_node_id,
                Delivery.state == DeliveryState.SENT,
                Delivery.sent_at <= request.requested_at,
            )
            .order_by(Delivery.job_id, Delivery.id)
        ).all()
    return found
