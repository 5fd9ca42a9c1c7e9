"""One result goes to one destination, by C-STORE or STOW-RS, as the bytes that were stored.

A result is marked sent only on the PACS's own answer for that instance. Safe to run twice: a PACS that already has the
instance answers with the same UID and the same bytes behind it. What a PACS does not take is sent as Secondary Capture
if it is a picture, and left out if it is a companion of one.
"""

from __future__ import annotations

import logging
from datetime import datetime

from pydicom.uid import SecondaryCaptureImageStorage
from sqlalchemy.orm import Session

from dicom_node.secondary_capture import as_secondary_capture
from dicom_node.store_scu import Outcome, StoreResult
from dicom_node.stored_instance import read_stored_instance
from service.audit.events import Actor, ActorKind, AuditKind, AuditNote
from service.audit.events import Outcome as AuditOutcome
from service.audit.notes import note
from service.database import transaction
from service.errors import ConfigurationError, StoreFullError
from service.logs import log_event
from service.registry import circuit_breaker, deliveries, delivery_queue
from service.registry.result_kinds import ResultKind
from service.routing import COMPANIONS
from worker.context import WorkerContext
from worker.failed_attempt import pause_after, require_budget
from worker.failure import classify
from worker.handed_back import give_back_delivery
from worker.kept_object import MadeObject, keep_object
from worker.lease import Lease
from worker.transport import send_file

logger = logging.getLogger(__name__)

CLASS_NOT_TAKEN = frozenset({"SOP_CLASS_NOT_ACCEPTED", "SOP_CLASS_NOT_SUPPORTED"})
PICTURES = frozenset({ResultKind.SOFT_TISSUE, ResultKind.BONE})


def deliver(hinted: int, context: WorkerContext) -> bool:
    """Send what is next for the node of delivery `hinted`, which a message named. True when the PACS has it."""
    with transaction(context.sessions) as session:
        claim = delivery_queue.claim_next_delivery(
            session, hinted, owner=context.owner, lease_s=context.lease_s, now=context.clock()
        )
    if claim is None:
        return False
    with context.work.holding(lambda: give_back_delivery(claim, context)):
        return _deliver(claim, context)


def _deliver(claim: deliveries.DeliveryClaim, context: WorkerContext) -> bool:
    asked, no_room = True, False
    try:
        require_budget(claim.attempts, context.delivery_retries)
        with Lease(lambda: _renew(claim, context), lease_s=context.lease_s, deadline_s=context.deadline_s):
            result = _send(claim, context)
            replacement = _as_secondary_capture(claim, result, context)
    except Exception as error:
        failure = classify(error)
        # A certificate or a token that is missing now fails every delivery to the node: an administrator puts it back.
        passes = failure.transient or isinstance(error, ConfigurationError)
        outcome = Outcome.RETRY if passes else Outcome.REFUSED
        result = StoreResult(claim.result.sop_instance_uid, outcome, None, failure.code, failure.detail)
        # A full disk says nothing about the delivery: it waits for room as long as that takes.
        replacement, asked, no_room = None, False, isinstance(error, StoreFullError)
    _record(claim, result, replacement, context, asked=asked, no_room=no_room)
    _announce_next(claim, context)
    return result.outcome is Outcome.SENT


def _send(claim: deliveries.DeliveryClaim, context: WorkerContext) -> StoreResult:
    # Reading checks the digest: altered bytes never leave under the UID they were made for.
    context.store.read(claim.result.path, claim.result.sha256)
    return send_file(context.store.resolve(claim.result.path), claim.node, context)


def _record(
    claim: deliveries.DeliveryClaim,
    result: StoreResult,
    replacement: deliveries.ResultFacts | None,
    context: WorkerContext,
    *,
    asked: bool,
    no_room: bool,
) -> None:
    now = context.clock()
    answered = result.status is not None or result.outcome is not Outcome.RETRY
    with transaction(context.sessions) as session:
        # What failed before the node was asked says nothing about the node.
        if asked and answered:
            circuit_breaker.node_answered(session, claim.node.remote_node_id)
        elif asked:
            circuit_breaker.node_failed(session, claim.node.remote_node_id, context.breaker, now=now)
        if result.outcome is Outcome.SENT and result.status is not None:
            deliveries.delivery_sent(session, claim, status=result.status, now=now)
        elif no_room or (result.outcome is Outcome.RETRY and not context.delivery_retries.exhausted(claim.attempts)):
            wait = pause_after(context.delivery_retries, claim.attempts, no_room=no_room)
            deliveries.delivery_postponed(
                session,
                claim,
                code=result.code,
                detail=result.detail,
                status=result.status,
                not_before=now + wait,
                now=now,
                counts=not no_room,
            )
        elif replacement is not None:
            deliveries.delivery_replaced(session, claim, replacement, code=result.code, status=result.status, now=now)
        else:
            _end_unsent(session, claim, result, now)
        if asked:
            note(session, _audited(claim, result), now=now)
    log_event(
        logger,
        "delivery",
        job_id=claim.job_id,
        node=claim.node.name,
        kind=claim.result.kind,
        outcome=result.outcome,
        status=f"0x{result.status:04X}" if result.status is not None else "none",
        reason_code=None if result.outcome is Outcome.SENT else result.code,
        attempts=claim.attempts,
    )


def _audited(claim: deliveries.DeliveryClaim, result: StoreResult) -> AuditNote:
    sent = result.outcome is Outcome.SENT
    return AuditNote(
        kind=AuditKind.INSTANCES_SENT,
        actor=Actor(ActorKind.PROCESS, "softray worker network", claim.node.host),
        subject=claim.node.name,
        study_instance_uid=claim.study_instance_uid,
        sop_class_uid=claim.result.sop_class_uid,
        sop_instance_uid=claim.result.sop_instance_uid,
        outcome=AuditOutcome.SUCCESS if sent else AuditOutcome.FAILURE,
        reason_code=None if sent else result.code,
    )


def _end_unsent(session: Session, claim: deliveries.DeliveryClaim, result: StoreResult, now: datetime) -> None:
    """The node will not take it: a companion is left out, everything else is a failure that somebody must see."""
    left_out = result.code in CLASS_NOT_TAKEN and claim.result.kind in COMPANIONS
    end = deliveries.delivery_declined if left_out else deliveries.delivery_failed
    end(session, claim, code=result.code, detail=result.detail, status=result.status, now=now)


def _as_secondary_capture(
    claim: deliveries.DeliveryClaim, result: StoreResult, context: WorkerContext
) -> deliveries.ResultFacts | None:
    """The picture in a class that every PACS takes, stored, when this node refused the class that it is in."""
    if result.code not in CLASS_NOT_TAKEN or claim.result.kind not in PICTURES:
        return None
    if context.results.secondary_capture == "never" or claim.result.sop_class_uid == SecondaryCaptureImageStorage:
        return None
    derived = read_stored_instance(context.store.read(claim.result.path, claim.result.sha256))
    return keep_object(MadeObject(claim.result.kind, as_secondary_capture(derived)), context.store)


def _announce_next(claim: deliveries.DeliveryClaim, context: WorkerContext) -> None:
    """This node has a hand free again: what is next for it goes at once, not only when the sweep comes by."""
    with transaction(context.sessions) as session:
        waiting = delivery_queue.next_delivery(session, claim.node.remote_node_id, now=context.clock())
    if waiting is not None:
        context.queue.announce_delivery(waiting)


def _renew(claim: deliveries.DeliveryClaim, context: WorkerContext) -> bool:
    with transaction(context.sessions) as session:
        return deliveries.renew_delivery(session, claim, lease_s=context.lease_s, now=context.clock())
