"""Everything that may happen to a registry, one method for each: the code of node and workers, in small steps.

A worker's code is entered where it reads the clock and left where it talks to somebody: what it holds meanwhile lies in
`held_…`, for as long as the rules like. A write by a holder that has lost its row is checked on the spot: nothing may
change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dicom_node.commitment_registry import RegistryReports
from dicom_node.commitment_report import CommitmentReport, Failed, Reference
from service.database import transaction
from service.priorities import Priority
from service.registry import circuit_breaker, commitments, deliveries, delivery_queue, jobs
from service.registry.cancellation import CANCELLABLE, NotCancellableError, cancel
from service.registry.claims import Claim, DeliveryClaim
from service.registry.commitment_claims import RequestClaim, Step
from service.registry.commitment_plan import plan_requests
from service.registry.instances import InstanceFacts, Reception, Verdict, record_instance, record_rejection
from service.registry.job_states import CommitmentState, DeliveryState, JobPurpose, JobState
from service.registry.next_job import claim_next
from service.registry.remote_nodes import DeliveryTerms, add_remote_node, list_remote_nodes, remove_remote_node
from service.registry.result_kinds import ResultKind
from service.registry.retries import RETRYABLE
from service.registry.tables import CommitmentRequest, Delivery, Instance, Job, RemoteNode
from service.registry.urgency import OPEN, NotReprioritisableError, reprioritise
from tests.service.registry.factories import LEASE_S
from tests.state_machine import outcomes
from tests.state_machine.snapshot import snapshot
from tests.state_machine.surroundings import Broker, Clock, Message, worker_context
from worker import commit, deliver
from worker.failed_attempt import end_attempt
from worker.failure import Failure
from worker.handed_back import give_back_delivery, give_back_job
from worker.sweep import sweep

T = TypeVar("T")
NODES = {
    "archive": DeliveryTerms(requests_commitment=True, verifies=True),
    "committer": DeliveryTerms(requests_commitment=True),
    "lister": DeliveryTerms(verifies=True),
    "viewer": DeliveryTerms(),
}
STAGES = ("queued", "running", "derived", "sending", "sent", "asking", "asked")
BROKEN = Failure("UNEXPECTED", "builtins.RuntimeError", transient=True)


@dataclass
class World:
    """One installation: registry, broker, clock, and what its processes hold in their hands."""

    sessions: sessionmaker[Session]
    folder: Path
    clock: Clock = field(default_factory=Clock)
    broker: Broker = field(default_factory=Broker)
    acknowledged: dict[str, str] = field(default_factory=dict)
    received: list[tuple[InstanceFacts, Verdict]] = field(default_factory=list)
    held_jobs: list[Claim] = field(default_factory=list)
    held_notices: list[Claim] = field(default_factory=list)
    held_deliveries: list[DeliveryClaim] = field(default_factory=list)
    held_requests: list[RequestClaim] = field(default_factory=list)
    taken: list[str | int] = field(default_factory=list)
    """The job or delivery of every claim that followed a message, the first one first."""

    def __post_init__(self) -> None:
        self.context = worker_context(self.sessions, self.broker, self.clock, self.folder)

    # The node.

    def receive(self, facts: InstanceFacts, verdict: Verdict, *, dies_before_publishing: bool) -> None:
        self.received.append((facts, verdict))
        with transaction(self.sessions) as session:
            recorded = self._record(session, facts, verdict, "a" * 64)
        assert recorded.reception is Reception.NEW
        self.acknowledged[facts.sop_instance_uid] = "a" * 64
        if dies_before_publishing:
            return
        if recorded.job_id is not None:
            self.broker.announce_inference(recorded.job_id)
        if recorded.notice_job_id is not None:
            self.broker.announce_notice(recorded.notice_job_id)

    def receive_again(self, which: int, *, other_bytes: bool) -> None:
        facts, verdict = _pick(self.received, which)
        sha256 = ("b" if other_bytes else "a") * 64
        with transaction(self.sessions) as session:
            recorded = self._record(session, facts, verdict, sha256)
            if recorded.reception is Reception.CONFLICT:
                record_rejection(
                    session,
                    reason_code="DUPLICATE_UID",
                    detail="other content",
                    calling_ae_title="MODALITY",
                    sop_instance_uid=facts.sop_instance_uid,
                    path="quarantine/b.dcm",
                    sha256=sha256,
                    now=self.clock(),
                )
        assert recorded.reception is (Reception.CONFLICT if other_bytes else Reception.SAME)
        assert recorded.job_id is None

    def _record(self, session: Session, facts: InstanceFacts, verdict: Verdict, sha256: str):  # type: ignore[no-untyped-def]
        return record_instance(
            session, facts, verdict, path=f"source/{sha256}.dcm", sha256=sha256, size_bytes=8, now=self.clock()
        )

    def bring_to(self, stage: str, facts: InstanceFacts, kinds: tuple[ResultKind, ...]) -> None:
        """One image as far as `stage` (one of STAGES), nothing going wrong; what it holds there is held on."""
        reached = STAGES.index(stage)
        self.receive(facts, Verdict(), dies_before_publishing=False)
        if reached >= STAGES.index("running"):
            self.work_on(self.broker.gpu.pop())
        if reached >= STAGES.index("derived") and self.held_jobs:
            self.finish_job(len(self.held_jobs) - 1, "derived", kinds, keep=False)
            self.sweep()
        for _ in range(len(kinds) if reached >= STAGES.index("sending") else 0):
            while self.broker.network:
                self.work_on(self.broker.network.popleft())
            while reached >= STAGES.index("sent") and self.held_deliveries:
                self.finish_delivery(0, "sent", keep=False)
        if reached >= STAGES.index("asking"):
            self.move_clock(3)
            self.claim_requests()
        while reached >= STAGES.index("asked") and self.held_requests:
            self.finish_request(0, "accepted", "present", keep=False)

    def go_on(self) -> None:
        """An honest worker does the next thing that is in its hands, or takes a message."""
        if self.held_requests:
            self.finish_request(0, "accepted", "present", keep=False)
        elif self.held_deliveries:
            self.finish_delivery(0, "sent", keep=False)
        elif self.held_jobs:
            self.finish_job(0, "derived", (ResultKind.SOFT_TISSUE,), keep=False)
        elif self.held_notices:
            self.finish_notice(0, "derived", keep=False)
        elif self.broker.network or self.broker.gpu:
            self.work_on((self.broker.network or self.broker.gpu).popleft())
        else:
            self.sweep()

    # The broker.

    def take(self, queue: str, which: int, *, leave: bool) -> Message | None:
        """A message in any order; left there, it comes a second time."""
        messages = self.broker.gpu if queue == "gpu" else self.broker.network
        if not messages:
            return None
        position = which % len(messages)
        message = messages[position]
        if not leave:
            del messages[position]
        return message

    def work_on(self, message: Message) -> None:
        """A worker follows a message as far as its claim."""
        now = self.clock()
        with transaction(self.sessions) as session:
            if message.kind == "delivery":
                sending = delivery_queue.claim_next_delivery(
                    session, int(message.row_id), owner="network", lease_s=LEASE_S, now=now
                )
                self.held_deliveries += [sending] if sending else []
                self.taken += [sending.delivery_id] if sending else []
                return
            notice = message.kind == "notice"
            claim = claim_next(
                session,
                owner="worker",
                lease_s=LEASE_S,
                now=now,
                chance=0.5,
                purpose=JobPurpose.REFUSAL_NOTICE if notice else JobPurpose.SUPPRESS,
                hinted=str(message.row_id),
            )
        if claim is not None:
            (self.held_notices if notice else self.held_jobs).append(claim)
            self.taken.append(claim.job_id)

    def claim_image(self, sop_instance_uid: str) -> None:
        """A worker has the job of this very image in its hands."""
        with transaction(self.sessions) as session:
            job_id = session.scalars(
                select(Job.id)
                .join(Instance, Instance.id == Job.instance_id)
                .where(Instance.sop_instance_uid == sop_instance_uid)
            ).one()
            claim = jobs.claim(session, job_id, owner="worker", lease_s=LEASE_S, now=self.clock())
        assert claim is not None
        self.held_jobs.append(claim)

    def sweep(self) -> None:
        sweep(self.context)

    # The gpu worker.

    def renew_job(self, which: int) -> None:
        claim = _pick(self.held_jobs, which)
        with transaction(self.sessions) as session:
            mine = _is_held(session, claim)
            assert jobs.renew(session, claim, lease_s=LEASE_S, step=1, total_steps=2, now=self.clock()) is mine

    def come_back_late(self, which: int, steps: int, outcome: str, kinds: tuple[ResultKind, ...]) -> None:
        """A worker is silent for longer than its lease, another gets its job, and after some steps the first writes."""
        claim = _pick(self.held_jobs, which)
        with transaction(self.sessions) as session:
            mine = _is_held(session, claim)
        self.move_clock(LEASE_S + 1)
        with transaction(self.sessions) as session:
            another = jobs.claim(session, claim.job_id, owner="another", lease_s=LEASE_S, now=self.clock())
        assert another is not None or not mine
        self.held_jobs += [another] if another else []
        for _ in range(steps):
            self.go_on()
        with transaction(self.sessions) as session:
            assert not jobs.renew(session, claim, lease_s=LEASE_S, step=2, total_steps=2, now=self.clock())
        self._finish_job(claim, outcome, kinds)

    def send_late(self, which: int, steps: int, answer: str) -> None:
        """The same with a delivery."""
        claim = _pick(self.held_deliveries, which)
        self.move_clock(LEASE_S + 1)
        with transaction(self.sessions) as session:
            another = deliveries.claim_delivery(
                session, claim.delivery_id, owner="another", lease_s=LEASE_S, now=self.clock()
            )
        self.held_deliveries += [another] if another else []
        for _ in range(steps):
            self.go_on()
        self._finish_delivery(claim, answer)

    def hand_back_job(self, which: int, *, keep: bool) -> None:
        """The worker is stopped in the middle."""
        claim = _pick(self.held_jobs, which, keep=keep)
        self._unless_lost(claim, lambda: give_back_job(claim, self.context))

    def hand_back_delivery(self, which: int, *, keep: bool) -> None:
        claim = _pick(self.held_deliveries, which, keep=keep)
        self._unless_lost(claim, lambda: give_back_delivery(claim, self.context))

    def finish_job(self, which: int, outcome: str, kinds: tuple[ResultKind, ...], *, keep: bool) -> None:
        """`keep`: the worker does not know that it has finished, and may do so once more."""
        self._finish_job(_pick(self.held_jobs, which, keep=keep), outcome, kinds)

    def finish_notice(self, which: int, outcome: str, *, keep: bool) -> None:
        self._finish_job(_pick(self.held_notices, which, keep=keep), outcome, (ResultKind.REFUSAL_NOTICE,))

    def _finish_job(self, claim: Claim, outcome: str, kinds: tuple[ResultKind, ...]) -> None:
        self._unless_lost(
            claim, lambda: self._derive(claim, kinds) if outcome == "derived" else self._fail(claim, outcome)
        )

    def _derive(self, claim: Claim, kinds: tuple[ResultKind, ...]) -> None:
        with transaction(self.sessions) as session:
            jobs.record_derived(session, claim, outcomes.derived(kinds), now=self.clock())

    def _fail(self, claim: Claim, outcome: str) -> None:
        end_attempt(claim, outcomes.FAILURES[outcome], self.context, "inference")

    # The network worker.

    def renew_delivery(self, which: int) -> None:
        claim = _pick(self.held_deliveries, which)
        with transaction(self.sessions) as session:
            mine = _is_sending(session, claim)
            assert deliveries.renew_delivery(session, claim, lease_s=LEASE_S, now=self.clock()) is mine

    def finish_delivery(self, which: int, answer: str, *, keep: bool) -> None:
        self._finish_delivery(_pick(self.held_deliveries, which, keep=keep), answer)

    def _finish_delivery(self, claim: DeliveryClaim, answer: str) -> None:
        result = outcomes.store_result(claim, answer)

        def record() -> None:
            deliver._record(claim, result, outcomes.replacement(claim, result), self.context, asked=True, no_room=False)

        self._unless_lost(claim, record)
        deliver._announce_next(claim, self.context)

    def claim_requests(self) -> None:
        now = self.clock()
        with transaction(self.sessions) as session:
            plan_requests(session, self.context.commitment, now=now)
            due = commitments.due_requests(session, now=now, limit=20)
        for request_id in due:
            with transaction(self.sessions) as session:
                claim = commitments.claim_request(session, request_id, owner="worker", lease_s=LEASE_S, now=now)
            self.held_requests += [claim] if claim else []

    def finish_request(self, which: int, answer: str, look: str, *, keep: bool) -> None:
        claim = _pick(self.held_requests, which, keep=keep)

        def record() -> None:
            if answer == "broken":
                commit._step_failed(claim, BROKEN, self.context)
            elif claim.step is Step.ASK:
                commit._record_answer(claim, outcomes.commitment_answer(answer), self.context)
            elif claim.verifies:
                with patch("worker.commit.look_up", return_value=outcomes.presence(claim, look)):
                    commit._look(claim, self.context)
            else:
                commit._go_on_without_look(claim, self.context)

        self._unless_lost(claim, record)

    def report(self, which: int, committed: int, *, by_another: bool) -> None:
        """An archive reports on any request that it has ever seen: late, twice, in part."""
        with transaction(self.sessions, read_only=True) as session:
            asked = session.execute(
                select(
                    CommitmentRequest.transaction_uid,
                    RemoteNode.ae_title,
                    CommitmentRequest.id,
                    CommitmentRequest.requested_at,
                )
                .join(RemoteNode, RemoteNode.id == CommitmentRequest.remote_node_id)
                .where(CommitmentRequest.state != CommitmentState.PLANNED)
                .order_by(CommitmentRequest.id)
            ).all()
            if not asked:
                return
            row = asked[which % len(asked)]
            awaited = commitments.awaited_instances(session, row.id)
        references = [Reference(one.sop_class_uid, one.sop_instance_uid) for one in awaited]
        kept = committed % (len(references) + 1)
        report = CommitmentReport(
            row.transaction_uid,
            tuple(references[:kept]),
            tuple(Failed(one, 0x0112) for one in references[kept:]),
        )
        reports = RegistryReports(self.sessions, self.context.commitment, self.clock)
        if not by_another:
            assert reports.record(report, row.ae_title) == (0x0000 if row.requested_at else 0x0115)
            return
        before = snapshot(self.sessions)
        assert reports.record(report, "STRANGER") == 0x0115
        assert snapshot(self.sessions) == before

    # The administrator, and the weather.

    def add_node(self, name: str) -> None:
        with transaction(self.sessions) as session:
            if any(node.name == name for node in list_remote_nodes(session)):
                return
            # At a host of its own: another title there may report for it.
            add_remote_node(
                session,
                name=name,
                ae_title=name.upper(),
                host=f"{name}.example",
                port=104,
                may_send=False,
                receives_results=True,
                now=self.clock(),
                terms=NODES[name],
            )

    def remove_node(self, name: str) -> None:
        with transaction(self.sessions) as session:
            if any(node.name == name for node in list_remote_nodes(session)):
                remove_remote_node(session, name, now=self.clock())

    def pause_node(self, name: str) -> None:
        with transaction(self.sessions) as session:
            node_id = session.scalar(select(RemoteNode.id).where(RemoteNode.name == name))
            for _ in range(self.context.breaker.failures if node_id is not None else 0):
                circuit_breaker.node_failed(session, node_id, self.context.breaker, now=self.clock())

    def retry(self, which: int) -> None:
        with transaction(self.sessions, read_only=True) as session:
            known = session.execute(select(Job.id, Job.state).order_by(Job.created_at, Job.id)).all()
        if not known:
            return
        row = known[which % len(known)]
        failed = row.state in RETRYABLE
        refusal: str | None = None
        try:
            with transaction(self.sessions) as session:
                jobs.retry(session, row.id, now=self.clock())
        except jobs.NotRetryableError as error:
            refusal = error.code
        assert refusal in ({None, "NO_DESTINATION"} if failed else {"JOB_NOT_FAILED"})

    def cancel_or_reprioritise(self, which: int, priority: Priority | None) -> None:
        """Without a priority, cancel it."""
        with transaction(self.sessions, read_only=True) as session:
            known = session.execute(select(Job.id, Job.state).order_by(Job.created_at, Job.id)).all()
        if not known:
            return
        row = known[which % len(known)]
        try:
            with transaction(self.sessions) as session:
                if priority is None:
                    cancel(session, row.id, now=self.clock())
                else:
                    reprioritise(session, row.id, priority, now=self.clock())
        except (NotCancellableError, NotReprioritisableError) as error:
            ended = error.code
        else:
            ended = ""
        assert (ended == "JOB_ENDED") == (row.state not in (OPEN if priority else CANCELLABLE))

    def move_clock(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)

    def _unless_lost(self, claim: Claim | DeliveryClaim | RequestClaim, write: Callable[[], None]) -> None:
        """Let the holder write; if the row is not its any more, nothing of any row may change but a node's breaker."""
        with transaction(self.sessions, read_only=True) as session:
            mine = _is_mine(session, claim)
        before = None if mine else snapshot(self.sessions)
        write()
        if before is not None:
            assert snapshot(self.sessions) == before, f"a holder that has lost {claim} wrote"


def _pick(held: list[T], which: int, *, keep: bool = True) -> T:
    position = which % len(held)
    return held[position] if keep else held.pop(position)


def _is_mine(session: Session, claim: Claim | DeliveryClaim | RequestClaim) -> bool:
    if isinstance(claim, Claim):
        return _is_held(session, claim)
    return _is_sending(session, claim) if isinstance(claim, DeliveryClaim) else commitments.holds(session, claim)


def _is_held(session: Session, claim: Claim) -> bool:
    row = session.execute(select(Job.state, Job.fencing_token).where(Job.id == claim.job_id)).one()
    return (row.state, row.fencing_token) == (JobState.RUNNING, claim.fencing_token)


def _is_sending(session: Session, claim: DeliveryClaim) -> bool:
    row = session.execute(select(Delivery.state, Delivery.fencing_token).where(Delivery.id == claim.delivery_id)).one()
    return (row.state, row.fencing_token) == (DeliveryState.SENDING, claim.fencing_token)


def present_nodes(session: Session) -> Iterable[RemoteNode]:
    """Nodes that are not removed."""
    return session.scalars(select(RemoteNode).where(RemoteNode.removed_at.is_(None))).all()
