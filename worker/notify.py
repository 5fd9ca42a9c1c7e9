"""The report of a refusal: one refused instance becomes one notice in its study. Needs no model.

A job like any other: claimed, leased, stored, delivered, tried again.
"""

from __future__ import annotations

import logging
import random

from dicom_node.refusal_notice import refusal_notice
from dicom_node.stored_instance import read_stored_instance
from service.database import transaction
from service.logs import log_event
from service.registry import delivery_queue, jobs
from service.registry.job_states import JobPurpose
from service.registry.next_job import claim_next
from service.registry.result_kinds import ResultKind
from worker.context import WorkerContext
from worker.failed_attempt import end_attempt, require_budget
from worker.handed_back import give_back_job
from worker.kept_object import MadeObject, keep_object

logger = logging.getLogger(__name__)


def notify(hinted: str, context: WorkerContext) -> bool:
    """Make the most urgent notice that is due, told by a message about `hinted`. True when it was recorded."""
    with transaction(context.sessions) as session:
        claim = claim_next(
            session,
            owner=context.owner,
            lease_s=context.lease_s,
            now=context.clock(),
            chance=random.random(),
            purpose=JobPurpose.REFUSAL_NOTICE,
            hinted=hinted,
        )
    if claim is None:
        return False
    job_id = claim.job_id
    try:
        require_budget(claim.attempts, context.inference_retries)
        with context.work.holding(lambda: give_back_job(claim, context, JobPurpose.REFUSAL_NOTICE)):
            recorded = _make(claim, context)
    except Exception as error:
        end_attempt(claim, error, context, "notice")
        return False
    if not recorded:
        return False
    with transaction(context.sessions, read_only=True) as session:
        waiting = delivery_queue.pending_deliveries(session, job_id, now=context.clock())
    for delivery_id in waiting:
        context.queue.announce_delivery(delivery_id)
    log_event(logger, "refusal_notice_made", job_id=job_id, reason_code=claim.reason_code)
    return True


def _make(claim: jobs.Claim, context: WorkerContext) -> bool:
    source = read_stored_instance(context.store.read(claim.source_path, claim.source_sha256))
    notice = refusal_notice(
        source,
        claim.reason_code or "",
        claim.reason_detail or "",
        context.service_version,
        context.policy,
        context.clock().astimezone(),
    )
    kept = keep_object(MadeObject(ResultKind.REFUSAL_NOTICE, notice), context.store)
    with transaction(context.sessions) as session:
        return jobs.record_derived(
            session, claim, jobs.DerivedFacts(results=(kept,)), now=context.clock(), routing=context.routing
        )
