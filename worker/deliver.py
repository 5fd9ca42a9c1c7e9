"""One stored derived instance goes to one destination, by C-STORE, as the bytes that were stored.

A result is marked sent only on the PACS's own answer for that instance. Safe to run twice: a PACS that already has the
instance answers with the same UID and the same bytes behind it.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from dicom_node.store_scu import Outcome, Peer, StoreResult, send
from service.database import transaction
from service.logs import log_event
from service.registry import deliveries
from worker.context import WorkerContext
from worker.failure import classify
from worker.lease import Lease

logger = logging.getLogger(__name__)


def deliver(delivery_id: int, context: WorkerContext) -> bool:
    """Send what delivery `delivery_id` names if it is due and nobody else has it. True when the PACS has it."""
    with transaction(context.sessions) as session:
        claim = deliveries.claim_delivery(
            session, delivery_id, owner=context.owner, lease_s=context.lease_s, now=context.clock()
        )
    if claim is None:
        return False
    try:
        with Lease(lambda: _renew(claim, context), lease_s=context.lease_s, deadline_s=context.deadline_s):
            result = _send(claim, context)
    except Exception as error:
        failure = classify(error)
        outcome = Outcome.RETRY if failure.transient else Outcome.REFUSED
        result = StoreResult(claim.sop_instance_uid, outcome, None, failure.code, failure.detail)
    _record(claim, result, context)
    return result.outcome is Outcome.SENT


def _send(claim: deliveries.DeliveryClaim, context: WorkerContext) -> StoreResult:
    # Reading checks the digest: altered bytes never leave under the UID they were made for.
    context.store.read(claim.derived_path, claim.derived_sha256)
    peer = Peer(claim.node.ae_title, claim.node.host, claim.node.port)
    [result] = send(
        [context.store.resolve(claim.derived_path)],
        peer,
        calling_ae_title=context.ae_title,
        timeout_s=context.network_timeout_s,
    )
    return result


def _record(claim: deliveries.DeliveryClaim, result: StoreResult, context: WorkerContext) -> None:
    now = context.clock()
    spent = context.delivery_retries.exhausted(claim.attempts)
    with transaction(context.sessions) as session:
        if result.outcome is Outcome.SENT and result.status is not None:
            deliveries.delivery_sent(session, claim, status=result.status, now=now)
        elif result.outcome is Outcome.RETRY and not spent:
            wait = timedelta(seconds=context.delivery_retries.wait_s(claim.attempts, random.random()))
            deliveries.delivery_postponed(
                session,
                claim,
                code=result.code,
                detail=result.detail,
                status=result.status,
                not_before=now + wait,
                now=now,
            )
        else:
            deliveries.delivery_failed(
                session, claim, code=result.code, detail=result.detail, status=result.status, now=now
            )
    log_event(
        logger,
        "delivery",
        job_id=claim.job_id,
        node=claim.node.name,
        outcome=result.outcome,
        status=f"0x{result.status:04X}" if result.status is not None else "none",
        attempts=claim.attempts,
    )


def _renew(claim: deliveries.DeliveryClaim, context: WorkerContext) -> bool:
    with transaction(context.sessions) as session:
        return deliveries.renew_delivery(session, claim, lease_s=context.lease_s, now=context.clock())
