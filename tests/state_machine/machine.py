"""The rules: whatever may happen next, in any order, and what must hold after each step."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.priorities import Priority
from service.registry.exposures import FOR_PROCESSING
from service.registry.instances import Verdict
from service.registry.result_kinds import ResultKind
from tests.service.registry.factories import at_once, facts
from tests.state_machine import outcomes
from tests.state_machine.fair_schedule import run_to_the_end
from tests.state_machine.invariants import check_registry, read_registry
from tests.state_machine.world import NODES, STAGES, World

_serial = count(1)
PICK = st.integers(0, 11)
PICTURES = (ResultKind.SOFT_TISSUE,)
EVERYTHING = (ResultKind.SOFT_TISSUE, ResultKind.BONE, ResultKind.REPORT)


class RegistryMachine(RuleBasedStateMachine):
    """A registry in a world without mercy; `sessions` is set by whoever runs it, on an empty registry each time."""

    sessions: sessionmaker[Session]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="softray-state-machine-"))
        self.world = World(self.sessions, self.folder)
        self.study_uid = f"2.25.9{next(_serial)}"

    @initialize(
        nodes=st.sets(st.sampled_from(sorted(NODES)), max_size=3),
        stages=st.lists(st.sampled_from(STAGES), min_size=1, max_size=5),
        everything=st.booleans(),
    )
    def start(self, nodes: set[str], stages: list[str], everything: bool) -> None:
        """In mid-work: what goes wrong from here on meets images at every step."""
        for name in sorted(nodes):
            self.world.add_node(name)
        for stage in stages:
            self.world.bring_to(stage, facts(), EVERYTHING if everything else PICTURES)

    @rule(steps=st.integers(1, 8))
    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.world.go_on()

    # Reception.

    @rule(dies=st.booleans(), notice=st.sampled_from([None, True, False]))
    def receive(self, dies: bool, notice: bool | None) -> None:
        verdict = Verdict() if notice is None else Verdict("BODY_PART_NOT_CHEST", "a knee", notice=notice)
        self.world.receive(facts(), verdict, dies_before_publishing=dies)

    @rule(exposure=st.integers(1, 2), raw=st.booleans(), dies=st.booleans())
    def receive_sibling(self, exposure: int, raw: bool, dies: bool) -> None:
        sibling = facts(study_instance_uid=self.study_uid, irradiation_event_uid=f"{self.study_uid}.{exposure}")
        if raw:
            sibling = facts(
                study_instance_uid=self.study_uid,
                irradiation_event_uid=f"{self.study_uid}.{exposure}",
                sop_class_uid=FOR_PROCESSING,
            )
        self.world.receive(sibling, Verdict(sibling_wait_s=15.0), dies_before_publishing=dies)

    @precondition(lambda self: self.world.received)
    @rule(which=PICK, other_bytes=st.booleans())
    def receive_again(self, which: int, other_bytes: bool) -> None:
        self.world.receive_again(which, other_bytes=other_bytes)

    @rule(first_raw=st.booleans(), outcome=st.sampled_from(["derived", *sorted(outcomes.FAILURES)]))
    def receive_an_exposure(self, first_raw: bool, outcome: str) -> None:
        """Both objects of one, and what becomes of the one For Presentation."""
        event = f"{self.study_uid}.{next(_serial)}"
        of_event = {"study_instance_uid": self.study_uid, "irradiation_event_uid": event}
        pair = [facts(sop_class_uid=FOR_PROCESSING, **of_event), facts(**of_event)]
        for one in pair if first_raw else reversed(pair):
            self.world.receive(one, Verdict(sibling_wait_s=15.0), dies_before_publishing=True)
        self.world.claim_image(pair[1].sop_instance_uid)
        self.world.finish_job(len(self.world.held_jobs) - 1, outcome, PICTURES, keep=False)

    # Messages.

    @precondition(lambda self: self.world.broker.gpu or self.world.broker.network)
    @rule(queue=st.sampled_from(["gpu", "network"]), which=PICK, leave=st.booleans())
    def work_on_a_message(self, queue: str, which: int, leave: bool) -> None:
        if (message := self.world.take(queue, which, leave=leave)) is not None:
            self.world.work_on(message)

    @precondition(lambda self: self.world.broker.gpu or self.world.broker.network)
    @rule(queue=st.sampled_from(["gpu", "network"]), which=PICK)
    def two_workers_get_one_message(self, queue: str, which: int) -> None:
        if (message := self.world.take(queue, which, leave=False)) is not None:
            before = len(self.world.taken)
            at_once(2, lambda _: self.world.work_on(message))
            taken = self.world.taken[before:]
            # Whichever is next at this moment: two workers may take two rows, never one of them.
            assert len(set(taken)) == len(taken), f"two workers hold one of {taken}"

    @precondition(lambda self: self.world.broker.gpu or self.world.broker.network)
    @rule(queue=st.sampled_from(["gpu", "network"]), which=PICK)
    def lose_a_message(self, queue: str, which: int) -> None:
        self.world.take(queue, which, leave=False)

    @rule(up=st.booleans())
    def flush_the_broker(self, up: bool) -> None:
        self.world.broker.flush()
        self.world.broker.up = up

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule()
    def two_sweepers_at_once(self) -> None:
        at_once(2, lambda _: self.world.sweep())

    # Inference and notices.

    @precondition(lambda self: self.world.held_jobs)
    @rule(which=PICK)
    def renew_job(self, which: int) -> None:
        self.world.renew_job(which)

    @precondition(lambda self: self.world.held_jobs)
    @rule(which=PICK, everything=st.booleans(), keep=st.booleans())
    def derive(self, which: int, everything: bool, keep: bool) -> None:
        self.world.finish_job(which, "derived", EVERYTHING if everything else PICTURES, keep=keep)

    @precondition(lambda self: self.world.held_jobs)
    @rule(which=PICK, outcome=st.sampled_from(sorted(outcomes.FAILURES)), keep=st.booleans())
    def fail_to_derive(self, which: int, outcome: str, keep: bool) -> None:
        self.world.finish_job(which, outcome, PICTURES, keep=keep)

    @precondition(lambda self: self.world.held_jobs)
    @rule(which=PICK, steps=st.integers(0, 2), outcome=st.sampled_from(["derived", *sorted(outcomes.FAILURES)]))
    def come_back_late(self, which: int, steps: int, outcome: str) -> None:
        self.world.come_back_late(which, steps, outcome, PICTURES)

    @precondition(lambda self: self.world.held_jobs or self.world.held_deliveries)
    @rule(which=PICK, keep=st.booleans())
    def stop_a_worker(self, which: int, keep: bool) -> None:
        if self.world.held_jobs:
            self.world.hand_back_job(which, keep=keep)
        else:
            self.world.hand_back_delivery(which, keep=keep)

    @precondition(lambda self: self.world.held_notices)
    @rule(which=PICK, outcome=st.sampled_from(["derived", "transient", "permanent"]), keep=st.booleans())
    def finish_notice(self, which: int, outcome: str, keep: bool) -> None:
        self.world.finish_notice(which, outcome, keep=keep)

    # Deliveries.

    @precondition(lambda self: self.world.held_deliveries)
    @rule(which=PICK)
    def renew_delivery(self, which: int) -> None:
        self.world.renew_delivery(which)

    @precondition(lambda self: self.world.held_deliveries)
    @rule(which=PICK, answer=st.sampled_from(["sent", "sent", *sorted(outcomes.STORE_ANSWERS)]), keep=st.booleans())
    def finish_delivery(self, which: int, answer: str, keep: bool) -> None:
        self.world.finish_delivery(which, answer, keep=keep)

    @precondition(lambda self: self.world.held_deliveries)
    @rule(which=PICK, steps=st.integers(0, 2), answer=st.sampled_from(sorted(outcomes.STORE_ANSWERS)))
    def send_late(self, which: int, steps: int, answer: str) -> None:
        self.world.send_late(which, steps, answer)

    # Proof.

    @rule()
    def claim_requests(self) -> None:
        self.world.claim_requests()

    @precondition(lambda self: self.world.held_requests)
    @rule(
        which=PICK,
        answer=st.sampled_from(["accepted", "broken", *sorted(outcomes.COMMITMENT_ANSWERS)]),
        look=st.sampled_from(sorted(outcomes.PRESENCES)),
        keep=st.booleans(),
    )
    def finish_request(self, which: int, answer: str, look: str, keep: bool) -> None:
        self.world.finish_request(which, answer, look, keep=keep)

    @rule(which=PICK, committed=PICK, by_another=st.booleans())
    def report(self, which: int, committed: int, by_another: bool) -> None:
        self.world.report(which, committed, by_another=by_another)

    # Administrators and clocks.

    @rule(name=st.sampled_from(sorted(NODES)))
    def add_node(self, name: str) -> None:
        self.world.add_node(name)

    @rule(name=st.sampled_from(sorted(NODES)), removed=st.booleans())
    def remove_or_pause_node(self, name: str, removed: bool) -> None:
        if removed:
            self.world.remove_node(name)
        else:
            self.world.pause_node(name)

    @rule(which=PICK)
    def retry(self, which: int) -> None:
        self.world.retry(which)

    @rule(which=PICK, priority=st.sampled_from([None, *Priority]))
    def cancel_or_reprioritise(self, which: int, priority: Priority | None) -> None:
        self.world.cancel_or_reprioritise(which, priority)

    @rule(seconds=st.sampled_from([1, 3, 14, 29, 31, 120, 3601, 90_000, -1, -31, -3600]))
    def move_clock(self, seconds: int) -> None:
        self.world.move_clock(seconds)

    @invariant()
    def what_was_promised_holds(self) -> None:
        with transaction(self.sessions, read_only=True) as session:
            check_registry(read_registry(session), self.world.acknowledged)

    def teardown(self) -> None:
        try:
            run_to_the_end(self.world)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
