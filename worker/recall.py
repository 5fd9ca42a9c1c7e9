"""Carrying out recalls: the network worker stops what waits, makes the rejection notes and has them delivered.

Rows say what is to be done; nothing is lost with a worker. A note is made of what the registry and the stored files say
and of the time of approval, so that one made again is the same object, under the same UID.
"""

from __future__ import annotations

import logging
import random
import threading

from dicom_node.rejection_note import RejectedResult, Rejection, rejection_note
from dicom_node.stored_instance import read_stored_instance
from service.audit.chain import append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind
from service.database import transaction
from service.errors import PermanentError
from service.logs import log_event
from service.registry import delivery_queue, jobs, retraction
from service.registry.job_states import JobPurpose
from service.registry.next_job import claim_next
from service.registry.result_kinds import ResultKind
from worker.context import WorkerContext
from worker.failed_attempt import end_attempt, require_budget
from worker.handed_back import give_back_job
from worker.kept_object import MadeObject, keep_object

logger = logging.getLogger(__name__)

_PICTURES = frozenset({ResultKind.SOFT_TISSUE, ResultKind.BONE, ResultKind.SPREAD})


def carry_out(context: WorkerContext) -> int:
    """One step of every approved recall, and the notes that are due. Returns how many notes were made."""
    with transaction(context.sessions, read_only=True) as session:
        under_way = retraction.open_recalls(session)
    for recall_id in under_way:
        now = context.clock()
        with transaction(context.sessions) as session:
            if retraction.advance(session, recall_id, now=now):
                append(session, AuditEvent(AuditKind.RECALL_DONE, _US, subject=recall_id), now=now)
                log_event(logger, "recall_done", recall_id=recall_id)
    made = 0
    while not context.work.stopping and _make_next(context):
        made += 1
    return made


def start_recalls(context: WorkerContext, interval_s: float) -> threading.Event:
    """Carry out every `interval_s` seconds on a daemon thread; set the event to stop it."""
    stop = threading.Event()

    def keep_carrying_out() -> None:
        while not stop.wait(interval_s):
            try:
                carry_out(context)
            except Exception as error:  # the database may be away for a while; the rows stay due
                log_event(logger, "recall_step_failed", level=logging.WARNING, error=type(error).__name__)

    threading.Thread(target=keep_carrying_out, name="recalls", daemon=True).start()
    return stop


def _make_next(context: WorkerContext) -> bool:
    """Take the next note that is due and make it; False: none is due."""
    with transaction(context.sessions) as session:
        claim = claim_next(
            session,
            owner=context.owner,
            lease_s=context.lease_s,
            now=context.clock(),
            chance=random.random(),
            purpose=JobPurpose.RETRACTION,
        )
    if claim is None:
        return False
    try:
        require_budget(claim.attempts, context.inference_retries)
        with context.work.holding(lambda: give_back_job(claim, context, JobPurpose.RETRACTION)):
            recorded = _make(claim, context)
    except Exception as error:
        end_attempt(claim, error, context, "rejection_note")
        return True
    if recorded:
        with transaction(context.sessions, read_only=True) as session:
            waiting = delivery_queue.pending_deliveries(session, claim.job_id, now=context.clock())
        for delivery_id in waiting:
            context.queue.announce_delivery(delivery_id)
        log_event(logger, "rejection_note_made", job_id=claim.job_id, deliveries=len(waiting))
    return True


def _make(claim: jobs.Claim, context: WorkerContext) -> bool:
    with transaction(context.sessions, read_only=True) as session:
        facts = retraction.note_facts(session, claim.job_id)
    note = rejection_note(
        read_stored_instance(_first_readable(facts, context)),
        [
            RejectedResult(one.sop_class_uid, one.sop_instance_uid, one.series_instance_uid, one.kind in _PICTURES)
            for one in facts.results
        ],
        Rejection(facts.reason),
        facts.recall_id,
        facts.words,
        context.service_version,
        context.policy,
        facts.approved_at.astimezone(),
    )
    kept = keep_object(MadeObject(ResultKind.RETRACTION, note), context.store)
    with transaction(context.sessions) as session:
        return jobs.record_derived(
            session, claim, jobs.DerivedFacts(results=(kept,)), now=context.clock(), routing=context.routing
        )


def _first_readable(facts: retraction.NoteFacts, context: WorkerContext) -> bytes:
    """A file of the study, for patient and study as the PACS knows them: the registry does not hold those."""
    for path, sha256 in facts.files:
        try:
            return context.store.read(path, sha256)
        except PermanentError:  # missing or altered; another will do
            continue
    raise PermanentError("RECALL_FILES_GONE", "expected a source or result of the study in the store, found none")


_US = Actor(ActorKind.PROCESS, "softray worker network")
