"""What is done to whom, and where: the cells of the campaign, their order, and which of them share a round."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.kill_anywhere.crash_points import Action
from tests.kill_anywhere.points import POINTS, Need, Point, Role

MOST_IN_A_ROUND = 8
MOST_OF_A_SERVER = 2


class Victim(StrEnum):
    """What is broken; of servers, connections and disk one thing at a time."""

    PROCESS = "process"
    MESSAGE = "message"
    POSTGRES = "PostgreSQL"
    REDIS = "Redis"
    FOLDER = "message files"
    ORTHANC = "Orthanc"
    SENDER = "sender's connection"
    DISK = "disk"


class Fault(StrEnum):
    """How it is broken."""

    KILL = "kill -9"
    FREEZE = "SIGSTOP longer than the lease"
    TERMINATE = "SIGTERM"
    TERMINATE_TWICE = "SIGTERM twice"
    LOSE = "message lost"
    DOUBLE = "message sent twice"
    KILL_AND_RESTART = "kill -9, restarted"
    RESTART = "stopped, restarted"
    KILL_BACKEND = "kill -9 of a backend"
    PEER_FREEZE = "SIGSTOP"
    FLUSH = "FLUSHALL"
    DELETE = "all deleted"
    CUT = "connections cut"
    FULL = "ENOSPC"


OF_PROCESSES = {
    Fault.KILL: Action.KILL,
    Fault.FREEZE: Action.STOP,
    Fault.TERMINATE: Action.TERMINATE,
    Fault.TERMINATE_TWICE: Action.TERMINATE_TWICE,
}
OF_MESSAGES = {Fault.LOSE: Action.SKIP, Fault.DOUBLE: Action.REPEAT}
OF_SERVERS = {
    Victim.POSTGRES: (Fault.KILL_AND_RESTART, Fault.RESTART, Fault.KILL_BACKEND, Fault.PEER_FREEZE, Fault.CUT),
    Victim.REDIS: (Fault.KILL_AND_RESTART, Fault.FLUSH, Fault.PEER_FREEZE, Fault.CUT),
    Victim.FOLDER: (Fault.DELETE,),
    Victim.ORTHANC: (Fault.KILL_AND_RESTART, Fault.RESTART, Fault.PEER_FREEZE, Fault.CUT),
}


@dataclass(frozen=True)
class Injection:
    """One fault at one point."""

    point: Point
    victim: Victim
    fault: Fault

    @property
    def name(self) -> str:
        """What `--only` takes."""
        words = f"{self.point.key}:{self.victim}:{self.fault}".lower()
        return "".join(c if c.isalnum() or c in ":-" else "-" for c in words)

    @property
    def action(self) -> Action:
        """What the process does that reaches the point."""
        return OF_PROCESSES.get(self.fault) or OF_MESSAGES.get(self.fault) or Action.HOLD

    @property
    def victim_name(self) -> str:
        """As the tables name it: the process itself, or what it was connected with."""
        return str(self.point.role) if self.victim is Victim.PROCESS else str(self.victim)

    @property
    def hits_process(self) -> bool:
        """Whether the process at the point is itself the victim."""
        return self.victim is Victim.PROCESS


def cells(victims: Sequence[Victim]) -> list[Injection]:
    """Every fault at every point that it makes sense at, for these victims."""
    return [injection for point in POINTS for injection in _at(point) if injection.victim in victims]


def rounds(injections: Sequence[Injection], number: int, seed: int) -> Iterator[list[Injection]]:
    """`number` injections in the order of `seed`, those that can happen at the same time together; every cell once,
    then again."""
    shuffled: list[Injection] = []
    chance = random.Random(seed)
    while len(shuffled) < number:
        again = list(injections)
        chance.shuffle(again)
        shuffled += again
    waiting = shuffled[:number]
    while waiting:
        chosen: list[Injection] = []
        for injection in waiting:
            if len(chosen) < MOST_IN_A_ROUND and _fits(injection, chosen):
                chosen.append(injection)
        for injection in chosen:
            waiting.remove(injection)
        yield chosen


def short(injections: Sequence[Injection], number: int, seed: int) -> list[Injection]:
    """`number` cells that show every process, fault and victim at least once, and as many points as possible."""
    chance = random.Random(seed)
    left = list(injections)
    chance.shuffle(left)
    chosen: list[Injection] = []
    seen: set[object] = set()
    while left and len(chosen) < number:
        best = max(left, key=lambda one: sum(weight for trait, weight in _traits(one).items() if trait not in seen))
        chosen.append(best)
        left.remove(best)
        seen |= _traits(best).keys()
    return chosen


def _traits(injection: Injection) -> dict[str, int]:
    """What it would show, and how much that is worth."""
    traits = {f"{injection.victim} {injection.fault}": 4, injection.point.key: 1}
    return traits | ({f"{injection.point.role} {injection.fault}": 2} if injection.hits_process else {})


def _at(point: Point) -> Iterator[Injection]:
    for fault in OF_PROCESSES:
        yield Injection(point, Victim.PROCESS, fault)
    if point.message:
        for fault in OF_MESSAGES:
            yield Injection(point, Victim.MESSAGE, fault)
    for victim, faults in OF_SERVERS.items():
        for fault in faults:
            yield Injection(point, victim, fault)
    if point.role is Role.NODE and point.state in ("-", "QUEUED"):
        yield Injection(point, Victim.SENDER, Fault.CUT)
    if point.writes:
        yield Injection(point, Victim.DISK, Fault.FULL)


NEEDED_POINT = {
    Need.LOST_INFERENCE_MESSAGE: "node-queued-not-announced",
    Need.LOST_DELIVERY_MESSAGE: "gpu-pending-not-announced",
}


def _fits(injection: Injection, chosen: Sequence[Injection]) -> bool:
    """Whether it can be waited for in one round with those that are chosen."""
    same = sum(other.victim is injection.victim for other in chosen)
    few = injection.victim is Victim.PROCESS or same < MOST_OF_A_SERVER
    return few and all(_together(injection, other) for other in chosen)


def _together(one: Injection, other: Injection) -> bool:
    if one.point == other.point:
        return False
    if one.hits_process and other.hits_process and one.point.role.process is other.point.role.process:
        return False
    needs = {one.point.need, other.point.need}
    if one.point.need is other.point.need and one.point.need is not Need.IMAGE:
        return False
    taken = {NEEDED_POINT[need] for need in needs if need in NEEDED_POINT}
    reports_away = Need.LOST_REPORT in needs
    for injection in (one, other):
        if injection.point.key in taken:
            return False
        if reports_away and injection.point.role is Role.NODE and injection.point.state in ("REQUESTED", "REPORTED"):
            return False
    return True
