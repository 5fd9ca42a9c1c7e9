"""One queued job becomes stored derived objects.

Safe to run twice, on any machine, at any time: the claim (lease + fencing token) decides who works, the
compare-and-swap in `record_derived` decides whose result counts, and the UIDs come out the same.
"""

from __future__ import annotations

import logging
import random
import time

from pydicom import Dataset

from dicom_node.eligibility import Eligible, ReasonCode
from dicom_node.image_gate import ImageGate
from dicom_node.stored_instance import read_stored_instance
from service.database import transaction
from service.instance_store import Kind
from service.logs import log_event
from service.registry import delivery_queue, jobs
from service.registry.next_job import claim_next
from worker.context import WorkerContext
from worker.errors import LeaseLostError, WorkerStoppedError
from worker.failed_attempt import end_attempt, require_budget
from worker.handed_back import give_back_job
from worker.kept_object import keep_object
from worker.lease import Lease
from worker.model_host import ModelHost
from worker.pipeline import SoftTissue, suppress
from worker.preview import previews
from worker.receipt import receipt_of
from worker.results import all_objects

logger = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 0.5
ROOM_FOR_RESULTS = 3  # images of the source's size: soft tissue, bone, spread; the rest is small


def infer(hinted: str, context: WorkerContext, host: ModelHost) -> bool:
    """Run the most urgent job that is due, told by a message about `hinted`. True: a derived instance was recorded.

    The message says that there is work; which, the registry says at this moment (`next_job`).
    """
    with transaction(context.sessions) as session:
        claim = claim_next(
            session,
            owner=context.owner,
            lease_s=context.lease_s,
            now=context.clock(),
            chance=random.random(),
            hinted=hinted,
        )
    if claim is None:
        log_event(logger, "no_job_due", level=logging.DEBUG, hinted=hinted)
        return False
    job_id = claim.job_id
    log_event(logger, "inference_started", job_id=job_id, sop_instance_uid=claim.sop_instance_uid)
    try:
        require_budget(claim.attempts, context.inference_retries)
        with context.work.holding(lambda: give_back_job(claim, context)):
            return _run(claim, context, host)
    except WorkerStoppedError:
        give_back_job(claim, context)
        return False
    except LeaseLostError:
        log_event(logger, "lease_lost", job_id=job_id)
        return False
    except Exception as error:
        end_attempt(claim, error, context, "inference")
        return False


def _run(claim: jobs.Claim, context: WorkerContext, host: ModelHost) -> bool:
    progress = _Progress(claim, context)
    with Lease(
        progress.renew,
        lease_s=context.lease_s,
        deadline_s=context.deadline_s,
        on_hang=context.on_hang,
        hand_back=lambda: context.work.hand_back_now,
    ) as lease:

        def on_step(step: int, total: int) -> None:
            lease.check()
            progress.report(step, total)

        source = context.store.read(claim.source_path, claim.source_sha256)
        # What could not be kept afterwards need not be computed.
        context.store.space.require_any(ROOM_FOR_RESULTS * len(source))
        dataset = read_stored_instance(source)
        began = time.monotonic()
        result = host.run(
            lambda suppressor: suppress(
                dataset,
                suppressor,
                context.policy,
                service_version=context.service_version,
                seed=context.seed,
                spread_seeds=context.spread_seeds,
                # DICOM's dates and times are local ones where no Timezone Offset says otherwise.
                now=context.clock().astimezone(),
                on_step=on_step,
                wanted=frozenset(map(str, context.results.wanted())),
                compression=context.results.compression,
                gate=ImageGate(_left_open(claim), context.eligibility),
            )
        )
        inference_s = time.monotonic() - began
        lease.check()
        facts = _keep(claim, dataset, result, inference_s, context)
    with transaction(context.sessions) as session:
        recorded = jobs.record_derived(session, claim, facts, now=context.clock(), routing=context.routing)
    if not recorded:
        raise LeaseLostError("expected to own the job still, found it claimed by another worker")
    log_event(
        logger,
        "derived",
        job_id=claim.job_id,
        results=",".join(result.kind for result in facts.results),
        device=facts.device,
        notes=",".join(result.notes) or None,
    )
    with transaction(context.sessions, read_only=True) as session:
        waiting = delivery_queue.pending_deliveries(session, claim.job_id, now=context.clock())
    for delivery_id in waiting:
        context.queue.announce_delivery(delivery_id)
    return True


def _left_open(claim: jobs.Claim) -> Eligible:
    """The gate's verdict as the registry keeps it: eligible, with what the header left to the picture."""
    return Eligible(open_questions=frozenset(ReasonCode(code) for code in claim.open_questions))


def _keep(
    claim: jobs.Claim, source_dataset: Dataset, result: SoftTissue, inference_s: float, context: WorkerContext
) -> jobs.DerivedFacts:
    """Store the derived objects and the previews, and say what they were made of."""
    now = context.clock().astimezone()
    began = time.monotonic()
    made = all_objects(source_dataset, result, context.results.wanted(), context.policy, now)
    kept = tuple(keep_object(one, context.store) for one in made)
    source, soft, bone = (
        context.store.keep(Kind.PREVIEW, [picture], suffix=".png")
        for picture in previews(result.source, result.residual)
    )
    return jobs.DerivedFacts(
        results=kept,
        preview_source_path=source.path,
        preview_soft_path=soft.path,
        preview_bone_path=bone.path,
        model_name=result.made_by.name,
        model_sha256=result.made_by.sha256,
        device=result.made_by.device,
        receipt=receipt_of(
            result,
            source_sha256=claim.source_sha256,
            preset=context.preset,
            inference_s=inference_s,
            storing_s=time.monotonic() - began,
        ),
    )


class _Progress:
    """Writes step k of n to the job row, at most twice a second, and renews the lease with it."""

    def __init__(self, claim: jobs.Claim, context: WorkerContext) -> None:
        self._claim = claim
        self._context = context
        self._step = 0
        self._total = 0
        self._written = 0.0

    def report(self, step: int, total: int) -> None:
        self._step, self._total = step, total
        if step == total or time.monotonic() - self._written >= PROGRESS_INTERVAL_S:
            self._written = time.monotonic()
            if not self.renew():
                raise LeaseLostError("expected to own the job still, found it claimed by another worker")

    def renew(self) -> bool:
        with transaction(self._context.sessions) as session:
            return jobs.renew(
                session,
                self._claim,
                lease_s=self._context.lease_s,
                step=self._step,
                total_steps=self._total,
                now=self._context.clock(),
            )
