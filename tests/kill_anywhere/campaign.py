"""A campaign: rounds of injections into one running installation, each round checked before the next begins."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from service.errors import SoftrayError
from service.registry.job_states import JobState
from tests.kill_anywhere.breaking import DoneTo, break_it
from tests.kill_anywhere.images import Image, Radiographs, send
from tests.kill_anywhere.injection import Injection
from tests.kill_anywhere.installation import Installation
from tests.kill_anywhere.invariant import Verdict, check, count_in_pacs, rows_of, unsettled
from tests.kill_anywhere.provocation import Provocation

REACHED_WITHIN_S = 25.0
SETTLED_WITHIN_S = 60.0
SENDERS = 8
RETRIES_FOR_S = 40.0
SENDER_TIMEOUT_S = 4.0
# Every third image has a sender that tries once only: what it was not told is kept may be gone, but not by halves.
GIVES_UP = 3
# In every fourth round one image can only fail, for all to see.
UNFIT = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one injection. `reached` False: its point was not passed in time, nothing was done.

    `recovery_s`: from the fault until the last image of its round had come to its end; None: it did not.
    `doubts`: what the product should have done besides, such as ending on SIGTERM.
    """

    injection: Injection
    reached: bool
    recovery_s: float | None = None
    doubts: tuple[str, ...] = ()


@dataclass
class Report:
    """The campaign so far."""

    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    images: list[Image] = field(default_factory=list)
    undisturbed_s: list[float] = field(default_factory=list)
    unexpected_exits: list[str] = field(default_factory=list)
    committed: frozenset[int] = frozenset()
    """Numbers of the images whose job is COMMITTED at the end."""
    failed: frozenset[int] = frozenset()
    """Of those that have failed or were refused, with a reason."""
    passing: tuple[str, ...] = ()
    """What was wrong at the end of a round and no longer at the end of all; its injections count as not recovered."""
    seconds: float = 0.0

    @property
    def injected(self) -> list[Outcome]:
        """Those that really happened."""
        return [outcome for outcome in self.outcomes if outcome.reached]


class Campaign:
    """Runs rounds; not shared between threads."""

    def __init__(self, installation: Installation, seed: int, tell: Callable[[str], None] = logging.info) -> None:
        self._installation = installation
        self._radiographs = Radiographs(seed)
        self._tell = tell
        self._began = time.monotonic()
        self._hit: set[int] = set()
        self._sending: list[Future[bool]] = []
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="modality")
        self.report = Report(seed)

    def undisturbed(self, images: int) -> None:
        """How long an image takes when nothing is broken: what recovery times are to be read against."""
        for _ in range(images):
            image, began = self._image(), time.monotonic()
            self._send(image, once=False)
            self._settle([image])
            self.report.undisturbed_s.append(time.monotonic() - began)
            self.report.verdict += check([image], self._installation)

    def run(self, plan: Iterable[Sequence[Injection]]) -> Report:
        """Every round of `plan`, then a last look at everything."""
        for number, injections in enumerate(plan, 1):
            self._round(number, injections)
            if not self.report.verdict.kept:
                self._tell(f"round {number}: {self.report.verdict}")
        self._last_look()
        return self.report

    def _round(self, number: int, injections: Sequence[Injection]) -> None:
        began = time.monotonic()
        installation, images = self._installation, [self._image() for _ in range(2 + len(injections))]
        installation.processes.wait_until_all_run(30)
        lock = threading.Lock()

        def more_images(count: int) -> None:
            added = [self._image() for _ in range(count)]
            with lock:
                images.extend(added)
            for image in added:
                self._submit(image, once=False)

        with Provocation(injections, installation, self._image, more_images) as provocation:
            for injection in injections:
                installation.control.arm(injection.point.key, injection.action)
            if number % UNFIT == 0:
                installation.control.unfit(images[0].sop_instance_uid).touch()
            for image in images[:]:
                self._submit(image, once=image.number % GIVES_UP == 0)
            with lock:
                images.extend(provocation.images)
            provocation.begin()
            with ThreadPoolExecutor(len(injections), thread_name_prefix="breaker") as breakers:
                broken = list(
                    breakers.map(lambda one: break_it(one, installation, provocation, REACHED_WITHIN_S), injections)
                )
        self._wait_for_senders()
        all_run = installation.processes.wait_until_all_run(30)
        settled_at = self._settle(images)
        with lock:
            verdict = check(images, installation)
        self.report.verdict += verdict
        if settled_at is None:
            installation.processes.dump_stacks()
        recovered = all_run and settled_at is not None and verdict.kept
        for done in broken:
            self._hit |= done.pids
            self.report.outcomes.append(_outcome(done, settled_at if recovered else None))
        self._note_unexpected_exits()
        self._progress(number, time.monotonic() - began, broken, verdict)

    def _settle(self, images: Sequence[Image]) -> float | None:
        """The time at which all had come to their end; None: they did not in time."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while time.monotonic() < deadline:
            try:
                if not unsettled(images, self._installation):
                    return time.monotonic()
            except SoftrayError:  # the registry is just being restarted
                pass
            time.sleep(0.1)
        return None

    def _image(self) -> Image:
        image = self._radiographs.make()
        self.report.images.append(image)
        return image

    def _send(self, image: Image, *, once: bool) -> bool:
        port = self._installation.sender_port
        return send(image, port, give_up_after_s=0 if once else RETRIES_FOR_S, timeout_s=SENDER_TIMEOUT_S)

    def _submit(self, image: Image, *, once: bool) -> None:
        self._sending.append(self._pool.submit(self._send, image, once=once))

    def _wait_for_senders(self) -> None:
        while self._sending:
            self._sending.pop().result()

    def _last_look(self) -> None:
        """Everything once more: what was there at the end of its round must be there still, and nothing else."""
        installation = self._installation
        self._settle(self.report.images)
        final = check(self.report.images, installation)
        self.report.passing = tuple(line for line in self.report.verdict.broken if line not in final.broken)
        self.report.verdict = final
        rows = rows_of(self.report.images, installation)
        ended = {
            image.number: rows[image.sop_instance_uid][0].state
            for image in self.report.images
            if image.sop_instance_uid in rows
        }
        self.report.committed = frozenset(number for number, state in ended.items() if state is JobState.COMMITTED)
        self.report.failed = frozenset(n for n, state in ended.items() if state in (JobState.FAILED, JobState.REFUSED))
        there, committed = count_in_pacs(installation), len(self.report.committed)
        if there != committed:
            self.report.verdict += Verdict(twice=(f"{there} instances in the PACS, {committed} committed jobs",))
        self._note_unexpected_exits()
        self.report.seconds = time.monotonic() - self._began
        self._pool.shutdown()

    def _note_unexpected_exits(self) -> None:
        self.report.unexpected_exits = [
            f"{ended.name} ended with {ended.code}"
            for ended in self._installation.processes.exits
            if ended.pid not in self._hit and not ended.could_not_start
        ]

    def _progress(self, number: int, seconds: float, broken: Sequence[DoneTo], verdict: Verdict) -> None:
        missed = [done.injection.name for done in broken if not done.reached]
        doubts = [doubt for done in broken for doubt in done.doubts]
        total = len(self.report.outcomes)
        line = f"round {number}: {len(broken) - len(missed)} injected in {seconds:.1f} s, {total} tried so far"
        for word, found in (("missed", missed), ("doubts", doubts)):
            line += f"; {word}: {', '.join(found)}" if found else ""
        self._tell(line + ("" if verdict.kept and not verdict.failed else f"; {verdict}"))


def _outcome(done: DoneTo, settled_at: float | None) -> Outcome:
    if not done.reached:
        return Outcome(done.injection, reached=False)
    recovery_s = None if settled_at is None else max(0.0, settled_at - done.at)
    return Outcome(done.injection, reached=True, recovery_s=recovery_s, doubts=done.doubts)
