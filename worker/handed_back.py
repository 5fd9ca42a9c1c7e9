"""Giving a claim back when the worker stops: the row first, then word to whoever may take it now."""

from __future__ import annotations

import logging

from service.database import transaction
from service.logs import log_event
from service.registry import deliveries
from service.registry.claims import Claim, DeliveryClaim
from service.registry.hand_back import hand_back_job
from service.registry.job_states import JobPurpose
from worker.context import WorkerContext

logger = logging.getLogger(__name__)


def give_back_job(claim: Claim, context: WorkerContext, purpose: JobPurpose = JobPurpose.SUPPRESS) -> None:
    """The job waits again; nothing happens when the claim is not ours any more."""
    with transaction(context.sessions) as session:
        given = hand_back_job(session, claim, now=context.clock())
    if not given:
        return
    log_event(logger, "job_handed_back", job_id=claim.job_id, attempts=claim.attempts - 1)
    if purpose is JobPurpose.REFUSAL_NOTICE:
        context.queue.announce_notice(claim.job_id)
    elif purpose is JobPurpose.SUPPRESS:  # a rejection note is found by whoever carries out recalls
        context.queue.announce_inference(claim.job_id)


def give_back_delivery(claim: DeliveryClaim, context: WorkerContext) -> None:
    """The delivery waits again; the node may have the instance already, and gets the same one once more."""
    with transaction(context.sessions) as session:
        given = deliveries.delivery_handed_back(session, claim, now=context.clock())
    if not given:
        return
    log_event(logger, "delivery_handed_back", job_id=claim.job_id, node=claim.node.name, attempts=claim.attempts - 1)
    context.queue.announce_delivery(claim.delivery_id)
