"""From wherever a registry stands: time goes on, the sweep runs, workers are honest, and all comes to an end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.commitment_registry import RegistryReports
from dicom_node.commitment_report import CommitmentReport, Reference
from service.database import transaction
from service.registry import delivery_queue, jobs
from service.registry.claims import Claim, DeliveryClaim
from service.registry.exposures import FOR_PRESENTATION_PREFERRED, FOR_PROCESSING
from service.registry.job_states import CommitmentState, DeliveryState, JobPurpose, JobState
from service.registry.result_kinds import ResultKind
from service.registry.tables import RemoteNode
from tests.state_machine import outcomes
from tests.state_machine.invariants import NOT_SENT, PROVEN, UNDER_WAY, Registry, check_registry, read_registry
from tests.state_machine.world import World
from worker.commit import follow_up
from worker.context import WorkerContext
from worker.deliver import deliver
from worker.infer import infer
from worker.notify import notify
from worker.sweep import sweep

ROUNDS = 60
A_ROUND_S = 7200.0
ENDED = {JobState.DELIVERED, JobState.COMMITTED, JobState.FAILED, JobState.REFUSED, JobState.CANCELLED}


def run_to_the_end(world: World) -> None:
    """Let everybody do their work, and check that nothing is left undone, untold or done twice."""
    world.broker.up = True
    with honest_workers(world):
        for _ in range(ROUNDS):
            world.move_clock(A_ROUND_S)
            sweep(world.context)
            worked = _work_off(world)
            worked += follow_up(world.context)
            with transaction(world.sessions, read_only=True) as session:
                registry = read_registry(session)
                receivers = _receivers(session)
            check_registry(registry, world.acknowledged)
            if not worked and not _unfinished(registry, receivers):
                break
    _check_end(registry, receivers)


def _work_off(world: World) -> int:
    worked = 0
    for messages in (world.broker.gpu, world.broker.network):
        while messages:
            message = messages.popleft()
            match message.kind:
                case "inference":
                    worked += infer(str(message.row_id), world.context, None)  # type: ignore[arg-type]
                case "notice":
                    worked += notify(str(message.row_id), world.context)
                case _:
                    worked += deliver(int(message.row_id), world.context)
    return worked


@contextmanager
def honest_workers(world: World) -> Iterator[None]:
    """The tasks as they are, except for what they would compute, and what they would say to a remote node."""

    def run(claim: Claim, context: WorkerContext, _: object) -> bool:
        return _record(claim, context, (ResultKind.SOFT_TISSUE, ResultKind.REPORT))

    def make(claim: Claim, context: WorkerContext) -> bool:
        with transaction(context.sessions) as session:
            return jobs.record_derived(
                session, claim, outcomes.derived((ResultKind.REFUSAL_NOTICE,)), now=context.clock()
            )

    def send(claim: DeliveryClaim, _: WorkerContext) -> object:
        return outcomes.store_result(claim, "sent")

    def commits(_: object, transaction_uid: str, instances: list[Reference], **__: object) -> object:
        """Reports before it answers the request, as some do."""
        with transaction(world.sessions, read_only=True) as session:
            title = session.scalar(
                select(RemoteNode.ae_title)
                .join(outcomes.CommitmentRequest, outcomes.CommitmentRequest.remote_node_id == RemoteNode.id)
                .where(outcomes.CommitmentRequest.transaction_uid == transaction_uid)
            )
        reports = RegistryReports(world.sessions, world.context.commitment, world.clock)
        reports.record(CommitmentReport(transaction_uid, tuple(instances), ()), str(title))
        return outcomes.commitment_answer("accepted")

    with ExitStack() as stack:
        for name, honest in {
            "worker.infer._run": run,
            "worker.notify._make": make,
            "worker.deliver._send": send,
            "worker.commit.request_commitment": commits,
            "worker.commit.look_up": lambda claim, _: outcomes.presence(claim, "present"),
        }.items():
            stack.enter_context(patch(name, honest))
        yield


def _record(claim: Claim, context: WorkerContext, kinds: tuple[ResultKind, ...]) -> bool:
    with transaction(context.sessions) as session:
        recorded = jobs.record_derived(session, claim, outcomes.derived(kinds), now=context.clock())
        waiting = delivery_queue.pending_deliveries(session, claim.job_id, now=context.clock())
    for delivery_id in waiting:
        context.queue.announce_delivery(delivery_id)
    return recorded


def _receivers(session: Session) -> dict[int, RemoteNode]:
    present = select(RemoteNode).where(RemoteNode.removed_at.is_(None), RemoteNode.receives_results)
    return {node.id: node for node in session.scalars(present)}


def _unfinished(registry: Registry, receivers: dict[int, RemoteNode]) -> bool:
    open_requests = any(
        request.state in {CommitmentState.PLANNED, CommitmentState.REQUESTED} or request.not_before is not None
        for request in registry.requests
    )
    return open_requests or any(
        job.state not in ENDED and not _waits(job.id, registry, receivers) for job in registry.jobs
    )


def _waits(job_id: str, registry: Registry, receivers: dict[int, RemoteNode]) -> bool:
    """Derived, and there is nobody to send it to; its history says so."""
    told = any(event.event == "waiting_for_destination" for event in registry.events[job_id])
    return not receivers and not registry.deliveries[job_id] and told


def _check_end(registry: Registry, receivers: dict[int, RemoteNode]) -> None:
    assert all(request.state is not CommitmentState.PLANNED for request in registry.requests)
    _check_siblings(registry)
    for job in registry.jobs:
        if _waits(job.id, registry, receivers):
            assert job.state is JobState.DERIVED
            continue
        assert job.state in ENDED, f"{job.id} stays {job.state}: {[e.event for e in registry.events[job.id]]}"
        under_way = [one.state for one in registry.deliveries[job.id] if one.state in UNDER_WAY]
        assert not under_way, f"{job.id} is {job.state}, and deliveries of it are {under_way}"
        if job.state in {JobState.DELIVERED, JobState.COMMITTED}:
            _check_delivered(job.id, registry, receivers)


def _check_siblings(registry: Registry) -> None:
    """What was left alone for another image of its exposure, is so for one that something was made of."""
    of_instance = {job.instance_id: job for job in registry.jobs if job.purpose is JobPurpose.SUPPRESS}
    for instance in registry.instances:
        job = of_instance.get(instance.id)
        reason = job.reason_code if job is not None and job.state is JobState.REFUSED else instance.reason_code
        if reason != FOR_PRESENTATION_PREFERRED:
            continue
        others = [
            of_instance[other.id]
            for other in registry.instances
            if other.irradiation_event_uid == instance.irradiation_event_uid
            and other.sop_class_uid != FOR_PROCESSING
            and other.id in of_instance
        ]
        # Whoever cancels the image of an exposure does not ask for another in its place.
        made = any(registry.results[other.id] or other.state is JobState.CANCELLED for other in others)
        assert made, f"nothing came of the exposure of {instance.id}"


def _check_delivered(job_id: str, registry: Registry, receivers: dict[int, RemoteNode]) -> None:
    """Every result is once at every node that it was meant for, or in its place what this node takes."""
    sent = registry.deliveries[job_id]
    replacements = {result.replaces_id: result.id for result in registry.results[job_id] if result.replaces_id}
    for one in sent:
        assert one.state in {DeliveryState.SENT, *PROVEN, *NOT_SENT}
        if one.state is DeliveryState.REPLACED:
            instead = [
                other
                for other in sent
                if (other.result_id, other.remote_node_id) == (replacements[one.result_id], one.remote_node_id)
            ]
            assert len(instead) == 1
        node = receivers.get(one.remote_node_id)
        if one.state is DeliveryState.SENT and node is not None and (node.requests_commitment or node.verifies):
            told = {event.event for event in registry.events[job_id]}
            assert "commitment_not_followed" in told, f"nobody asks any more whether {node.name} has it, or says so"
