"""Answering those who asked us to keep what they sent: judge each instance as it is now, and report.

Committed is only what was received under this UID and SOP class and whose file in the instance store is unharmed at
this moment. It is kept from retention first, so that what softray commits to stays. Anything else is reported as
failed, and whoever asked keeps its copy.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Sequence
from datetime import timedelta

from dicom_node.commitment_report import (
    CLASS_INSTANCE_CONFLICT,
    DUPLICATE_TRANSACTION,
    NO_SUCH_INSTANCE,
    CommitmentReport,
    Failed,
    Reference,
)
from dicom_node.commitment_reporter import ReportDelivery, send_report
from dicom_node.status import Outcome
from service.database import transaction
from service.errors import PermanentError
from service.logs import log_event
from service.registry import commitment_promises
from service.registry.commitment_promises import PromiseClaim
from worker.context import WorkerContext
from worker.failure import classify
from worker.remote_peer import peer_of

logger = logging.getLogger(__name__)

BATCH = 20


def keep_promises(context: WorkerContext) -> int:
    """Report to everybody whose report is due. Returns how many reports were tried."""
    with transaction(context.sessions, read_only=True) as session:
        due = commitment_promises.due_promises(session, now=context.clock(), limit=BATCH)
    return sum(_keep(promise_id, context) for promise_id in due if not context.work.stopping)


def judge(claim: PromiseClaim, context: WorkerContext) -> CommitmentReport:
    """What we commit to now. Raises TransientError when the store or the registry cannot be read."""
    references = [Reference(sop_class, instance) for sop_class, instance in claim.requested]
    held = set() if claim.duplicate else _hold(references, context)
    reasons = [
        DUPLICATE_TRANSACTION if claim.duplicate else _reason(reference, held, context) for reference in references
    ]
    judged = list(zip(references, reasons, strict=True))
    return CommitmentReport(
        claim.transaction_uid,
        tuple(reference for reference, reason in judged if reason is None),
        tuple(Failed(reference, reason) for reference, reason in judged if reason is not None),
    )


def _hold(references: Sequence[Reference], context: WorkerContext) -> set[str]:
    """Keep them from retention before they are looked at, so that what is looked at stays; those that are there."""
    with transaction(context.sessions) as session:
        return commitment_promises.hold(
            session, [reference.sop_instance_uid for reference in references], now=context.clock()
        )


def _reason(reference: Reference, held: Collection[str], context: WorkerContext) -> int | None:
    """Why `reference` cannot be committed to; None: it can."""
    if reference.sop_instance_uid not in held:
        return NO_SUCH_INSTANCE
    with transaction(context.sessions, read_only=True) as session:
        instance = commitment_promises.held_instance(session, reference.sop_instance_uid)
    if instance is None:
        return NO_SUCH_INSTANCE
    if instance.sop_class_uid != reference.sop_class_uid:
        return CLASS_INSTANCE_CONFLICT
    try:
        context.store.read(instance.path, instance.sha256)
    except PermanentError:  # gone or altered: what was sent to us is not here any more
        return NO_SUCH_INSTANCE
    return None


def _keep(promise_id: int, context: WorkerContext) -> bool:
    now = context.clock()
    lease_s = context.lease_s + 5 * context.network_timeout_s
    with transaction(context.sessions) as session:
        claim = commitment_promises.claim_promise(session, promise_id, owner=context.owner, lease_s=lease_s, now=now)
    if claim is None:
        return False
    with context.work.holding(lambda: _give_back(claim, context)):
        _report(claim, context)
    return True


def _give_back(claim: PromiseClaim, context: WorkerContext) -> None:
    """The worker stops: the report is due at once, and may come twice."""
    code, detail, now = "WORKER_STOPPED", "the worker was stopped", context.clock()
    with transaction(context.sessions) as session:
        commitment_promises.promise_postponed(session, claim, code=code, detail=detail, not_before=now)


def _report(claim: PromiseClaim, context: WorkerContext) -> None:
    detail = ""
    try:
        report = judge(claim, context)
        detail = f"{len(report.committed)} committed, {len(report.failed)} failed"
        answer = send_report(
            peer_of(claim.node, context), report, calling_ae_title=context.ae_title, timeout_s=context.network_timeout_s
        )
    except Exception as error:
        failure = classify(error)
        answer = ReportDelivery(Outcome.RETRY, None, failure.code, failure.detail)
    _record(claim, answer, detail, context)


def _record(claim: PromiseClaim, answer: ReportDelivery, detail: str, context: WorkerContext) -> None:
    now = context.clock()
    with transaction(context.sessions) as session:
        if answer.outcome is Outcome.SENT:
            commitment_promises.promise_reported(session, claim, detail=detail, now=now)
        elif answer.outcome is Outcome.RETRY and not context.delivery_retries.exhausted(claim.attempts):
            wait = timedelta(seconds=context.delivery_retries.wait_s(claim.attempts, random.random()))
            commitment_promises.promise_postponed(
                session, claim, code=answer.code, detail=answer.detail, not_before=now + wait
            )
        else:
            commitment_promises.promise_given_up(session, claim, code=answer.code, detail=answer.detail, now=now)
    log_event(
        logger,
        "commitment_promise",
        transaction_uid=claim.transaction_uid,
        node=claim.node.name,
        outcome=answer.outcome,
        reason_code=answer.code,
        judged=detail,
        attempts=claim.attempts,
    )
