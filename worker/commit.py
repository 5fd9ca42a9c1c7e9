"""Proof that a result is where it was sent: storage commitment, and where none comes, a look.

Rows say what is to be done, so that nothing is forgotten over restarts of anything: a request is on record before it
leaves, its report is taken by the DICOM node whenever it comes, and what is not proven in time is looked for, asked for
again, sent again, and in the end fails where somebody sees it.
"""

from __future__ import annotations

import logging
import random
import threading
from datetime import datetime, timedelta

from dicom_node.commitment_registry import RegistryReports
from dicom_node.commitment_report import Reference
from dicom_node.commitment_scu import CommitmentAnswer, request_commitment
from dicom_node.find_scu import Presence, PresenceAnswer
from dicom_node.status import Outcome
from service.database import transaction
from service.logs import log_event
from service.registry import circuit_breaker, commitments
from service.registry.commitment_claims import RequestClaim, Step
from service.registry.commitment_plan import plan_requests
from service.registry.commitment_reports import send_again
from service.registry.job_states import DeliveryState
from service.registry.proofs import delivery_proven
from worker.context import WorkerContext
from worker.failed_attempt import require_budget
from worker.failure import Failure, classify
from worker.presence import look_up
from worker.promise import keep_promises
from worker.remote_peer import peer_of

logger = logging.getLogger(__name__)

BATCH = 20
# The request did not leave: its Transaction UID is still fresh.
NEVER_SENT = frozenset({"CONNECTION_FAILED", "ASSOCIATION_REJECTED", "ASSOCIATION_FAILED"})
# Looking again will not help.
CANNOT_BE_LOOKED_AT = frozenset(
    {
        "SOP_CLASS_NOT_ACCEPTED",
        "SOP_CLASS_NOT_SUPPORTED",
        "NOT_AUTHORISED",
        "QUERY_NOT_UNDERSTOOD",
        "HTTP_NOT_SUPPORTED",
    }
)


def follow_up(context: WorkerContext) -> int:
    """Plan requests for what was sent, and take one step for each that is due. Returns how many steps were taken."""
    now = context.clock()
    with transaction(context.sessions) as session:
        plan_requests(session, context.commitment, now=now)
        due = commitments.due_requests(session, now=now, limit=BATCH)
    return sum(_step(request_id, context) for request_id in due if not context.work.stopping)


def start_follow_up(context: WorkerContext, interval_s: float) -> threading.Event:
    """Follow up, and report to others, every `interval_s` seconds on a daemon thread; set the event to stop it.

    Not on the sweeper's thread, which must not wait for a remote node.
    """
    stop = threading.Event()

    def keep_following_up() -> None:
        while not stop.wait(interval_s):
            try:
                follow_up(context)
                keep_promises(context)
            except Exception as error:  # the database may be away for a while; the rows stay due
                log_event(logger, "follow_up_failed", level=logging.WARNING, error=type(error).__name__)

    threading.Thread(target=keep_following_up, name="follow-up", daemon=True).start()
    return stop


def _step(request_id: int, context: WorkerContext) -> bool:
    # Long enough for every wait of one step; a worker that dies costs one fresh request, later.
    lease_s = context.lease_s + context.commitment.wait_for_report_s + 5 * context.network_timeout_s
    with transaction(context.sessions) as session:
        claim = commitments.claim_request(
            session, request_id, owner=context.owner, lease_s=lease_s, now=context.clock()
        )
    if claim is None:
        return False
    try:
        with context.work.holding(lambda: _give_back(claim, context)):
            if claim.step is Step.ASK:
                _ask(claim, context)
            elif claim.verifies:
                _look(claim, context)
            else:
                _go_on_without_look(claim, context)
    except Exception as error:
        _step_failed(claim, classify(error), context)
    return True


def _step_failed(claim: RequestClaim, failure: Failure, context: WorkerContext) -> None:
    """Nobody knows how far the step came: a request may have reached the node, so its Transaction UID is used up."""
    log_event(
        logger,
        "commitment_step_failed",
        level=logging.WARNING,
        transaction_uid=claim.transaction_uid,
        node=claim.node.name,
        step=claim.step,
        code=failure.code,
        attempts=claim.attempts,
    )
    now, code, detail = context.clock(), failure.code, failure.detail
    if context.delivery_retries.exhausted(claim.attempts) and claim.step is Step.VERIFY:
        _give_up(claim, code, context)
        return
    with transaction(context.sessions) as session:
        if context.delivery_retries.exhausted(claim.attempts):
            commitments.request_given_up(session, claim, code=code, detail=detail, now=now)
        else:
            again = commitments.request_replaced if claim.step is Step.ASK else commitments.request_postponed
            again(session, claim, code=code, detail=detail, not_before=_later(claim, context), now=now)


def _give_back(claim: RequestClaim, context: WorkerContext) -> None:
    """The worker stops: the same step is due at once. What was asked may have left, and is asked under a fresh UID."""
    now = context.clock()
    again = commitments.request_replaced if claim.step is Step.ASK else commitments.request_postponed
    with transaction(context.sessions) as session:
        again(session, claim, code="WORKER_STOPPED", detail="the worker was stopped", not_before=now, now=now)


def _ask(claim: RequestClaim, context: WorkerContext) -> None:
    # What ends its worker never comes back to report: the count of its claims ends it.
    require_budget(claim.attempts, context.delivery_retries)
    answer = request_commitment(
        peer_of(claim.node, context),
        claim.transaction_uid,
        [Reference(instance.sop_class_uid, instance.sop_instance_uid) for instance in claim.instances],
        calling_ae_title=context.ae_title,
        reports=RegistryReports(context.sessions, context.commitment, context.clock),
        wait_for_report_s=context.commitment.wait_for_report_s,
        timeout_s=context.network_timeout_s,
    )
    _record_answer(claim, answer, context)
    log_event(
        logger,
        "commitment_asked",
        transaction_uid=claim.transaction_uid,
        node=claim.node.name,
        instances=len(claim.instances),
        outcome=answer.outcome,
        reason_code=answer.code,
        reported=answer.report is not None,
        attempts=claim.attempts,
    )


def _record_answer(claim: RequestClaim, answer: CommitmentAnswer, context: WorkerContext) -> None:
    now = context.clock()
    answered = answer.status is not None or answer.outcome is Outcome.REFUSED
    with transaction(context.sessions) as session:
        if answered:
            circuit_breaker.node_answered(session, claim.node.remote_node_id)
        else:
            circuit_breaker.node_failed(session, claim.node.remote_node_id, context.breaker, now=now)
        code, detail = answer.code, answer.detail
        if answer.outcome is Outcome.SENT:
            commitments.request_accepted(session, claim, timeout_s=context.commitment.timeout_s, now=now)
        elif answer.outcome is Outcome.REFUSED:
            commitments.request_refused(session, claim, code=code, detail=detail, now=now)
        elif context.delivery_retries.exhausted(claim.attempts):
            commitments.request_given_up(session, claim, code=code, detail=detail, now=now)
        else:
            again = commitments.request_postponed if code in NEVER_SENT else commitments.request_replaced
            again(session, claim, code=code, detail=detail, not_before=_later(claim, context), now=now)


def _look(claim: RequestClaim, context: WorkerContext) -> None:
    answers = look_up(claim, context)
    unknown = next((answer for answer in answers if answer.presence is Presence.UNKNOWN), None)
    log_event(
        logger,
        "presence_checked",
        node=claim.node.name,
        instances=len(answers),
        present=sum(answer.presence is Presence.PRESENT for answer in answers),
        reason_code=unknown.code if unknown else None,
        attempts=claim.attempts,
    )
    _record_presence(claim, answers, context)
    if unknown is not None and _in_vain(unknown, claim, context):
        _give_up(claim, unknown.code, context)
    elif unknown is not None or _some_may_come(claim, answers, context):
        with transaction(context.sessions) as session:
            commitments.request_postponed(
                session,
                claim,
                code=unknown.code if unknown else "NOT_FOUND",
                detail=unknown.detail if unknown else "not listed yet",
                not_before=_later(claim, context),
                now=context.clock(),
            )
    else:
        with transaction(context.sessions) as session:
            commitments.follow_up_ended(session, claim, detail=None, now=context.clock())


def _record_presence(claim: RequestClaim, answers: list[PresenceAnswer], context: WorkerContext) -> None:
    now = context.clock()
    with transaction(context.sessions) as session:
        if any(answer.code in NEVER_SENT or answer.code == "NO_ANSWER" for answer in answers):
            circuit_breaker.node_failed(session, claim.node.remote_node_id, context.breaker, now=now)
        else:
            circuit_breaker.node_answered(session, claim.node.remote_node_id)
        if not commitments.holds(session, claim):
            return
        for instance, answer in zip(claim.instances, answers, strict=True):
            if answer.presence is Presence.PRESENT:
                delivery_proven(
                    session, instance.delivery_id, state=DeliveryState.VERIFIED, detail="the node lists it", now=now
                )
            elif answer.presence is Presence.ABSENT and claim.attempts >= context.commitment.looks:
                send_again(
                    session,
                    instance.delivery_id,
                    code="NOT_FOUND",
                    most_resends=context.commitment.most_resends,
                    now=now,
                )


def _in_vain(unknown: PresenceAnswer, claim: RequestClaim, context: WorkerContext) -> bool:
    return unknown.code in CANNOT_BE_LOOKED_AT or context.delivery_retries.exhausted(claim.attempts)


def _some_may_come(claim: RequestClaim, answers: list[PresenceAnswer], context: WorkerContext) -> bool:
    absent = any(answer.presence is Presence.ABSENT for answer in answers)
    return absent and claim.attempts < context.commitment.looks


def _go_on_without_look(claim: RequestClaim, context: WorkerContext) -> None:
    """The node cannot be looked at: asked again while that may help, then sent again; a refusal is left at that."""
    now = context.clock()
    if not claim.refused and claim.attempts - 1 < context.commitment.most_requests:
        with transaction(context.sessions) as session:
            commitments.request_replaced(session, claim, code="NO_REPORT", detail=None, not_before=now, now=now)
        return
    _give_up(claim, "NO_REPORT", context)


def _give_up(claim: RequestClaim, code: str, context: WorkerContext) -> None:
    now = context.clock()
    with transaction(context.sessions) as session:
        if claim.refused:
            detail = "sent, but not proven: this node neither commits nor can be looked at"
            commitments.follow_up_ended(session, claim, detail=detail, now=now)
            return
        if not commitments.follow_up_ended(session, claim, detail=None, now=now):
            return
        for instance in claim.instances:
            send_again(session, instance.delivery_id, code=code, most_resends=context.commitment.most_resends, now=now)


def _later(claim: RequestClaim, context: WorkerContext) -> datetime:
    return context.clock() + timedelta(seconds=context.delivery_retries.wait_s(claim.attempts, random.random()))
