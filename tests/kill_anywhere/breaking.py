"""Doing one injection: wait until a process has reached the point, break what is to be broken, put it right again."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass

from tests.kill_anywhere.injection import Fault, Injection, Victim
from tests.kill_anywhere.installation import LEASE_S, Installation
from tests.kill_anywhere.provocation import Provocation

FROZEN_S = LEASE_S + 0.8
CUT_S = 0.5
FULL_S = 0.8
ENDS_WITHIN_S = 30.0
SECOND_SIGNAL_ENDS_WITHIN_S = 3.0
_POLL_S = 0.02


@dataclass(frozen=True)
class DoneTo:
    """What was done: `at` is time.monotonic() of the fault, `pids` whom the harness has ended."""

    injection: Injection
    reached: bool
    at: float = 0.0
    pids: frozenset[int] = frozenset()
    doubts: tuple[str, ...] = ()


def break_it(injection: Injection, installation: Installation, provocation: Provocation, within_s: float) -> DoneTo:
    """Wait for the point at most `within_s`, then break. Nothing stays broken."""
    control, key = installation.control, injection.point.key
    deadline = time.monotonic() + within_s
    while (pid := control.reached_by(key)) is None:
        if time.monotonic() > deadline and control.disarm(key):
            return DoneTo(injection, reached=False)
        provocation.more_for(injection)
        time.sleep(_POLL_S)
    provocation.satisfied(injection)
    at = time.monotonic()
    if injection.victim is Victim.PROCESS:
        pids, doubts = _process(injection, pid, installation)
        return DoneTo(injection, True, at, pids, doubts)
    try:
        # Of two faults of one server the second waits, its process held at the point, until the first is over.
        with installation.turns[injection.victim]:
            at = time.monotonic()
            if injection.victim is not Victim.MESSAGE:
                _surroundings(injection, installation)
    finally:
        control.release(key)
    return DoneTo(injection, True, at)


def _process(injection: Injection, pid: int, installation: Installation) -> tuple[frozenset[int], tuple[str, ...]]:
    processes = installation.processes
    name = processes.name_of(pid)
    if injection.fault is Fault.FREEZE:
        time.sleep(FROZEN_S)
        processes.signal(pid, signal.SIGCONT)
        return frozenset(), ()
    bound = SECOND_SIGNAL_ENDS_WITHIN_S if injection.fault is Fault.TERMINATE_TWICE else ENDS_WITHIN_S
    if processes.wait_for_end(pid, bound) is not None:
        return frozenset({pid}), ()
    processes.signal(pid, signal.SIGKILL)
    return frozenset({pid}), (f"{name} did not end within {bound:g} s of {injection.fault} at {injection.point.key}",)


def _surroundings(injection: Injection, installation: Installation) -> None:
    """The process at the point stands still meanwhile, and goes on as soon as the thing is broken."""
    control, key, victim = installation.control, injection.point.key, injection.victim
    peer, proxy = installation.peers.get(victim), installation.proxies.get(victim)
    match injection.fault:
        case Fault.KILL_AND_RESTART if peer is not None:
            peer.kill()
            control.release(key)
            peer.start()
        case Fault.RESTART if peer is not None:
            peer.stop()
            control.release(key)
            peer.start()
        case Fault.KILL_BACKEND if peer is not None:
            assert peer.kill_one_child(), "expected a backend that serves a client"
        case Fault.PEER_FREEZE if peer is not None:
            peer.freeze()
            control.release(key)
            time.sleep(FROZEN_S)
            peer.thaw()
        case Fault.FLUSH | Fault.DELETE:
            installation.flush_broker()
        case Fault.CUT if proxy is not None:
            proxy.refuse(True)
            proxy.cut()
            control.release(key)
            time.sleep(CUT_S)
            proxy.refuse(False)
        case Fault.FULL:
            installation.fill_disk()
            control.release(key)
            time.sleep(FULL_S)
            installation.free_disk()
        case _:
            raise AssertionError(f"there is no {injection.victim} to be broken here: {injection.name}")
