"""Runs the parts of the service as child processes on one machine, and starts again what ends by itself.

The first SIGTERM or SIGINT is passed on to every part, which then has the time to drain; the second is passed on too,
and ends everything at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.logs import log_event
from service.stop_signals import StopSignals

logger = logging.getLogger(__name__)

PARTS: Mapping[str, Sequence[str]] = {
    "node": ["node"],
    "api": ["api"],
    "gpu-worker": ["worker", "gpu"],
    "network-worker": ["worker", "network"],
}
STOP_WITHIN_S = 25.0
# Beyond what a part may take by itself, before it is killed.
GRACE_S = 3.0
AT_ONCE_S = 0.5
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0

_PR_SET_PDEATHSIG = 1


@dataclass
class _Part:
    """One child: its command, its process while it runs, and when it may start again."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause_s: float = field(default=FIRST_PAUSE_S)


def supervise(parts: Mapping[str, Sequence[str]], *, stop_within_s: float = STOP_WITHIN_S) -> int:
    """Run every part (name -> arguments of `softray`) until SIGINT or SIGTERM, then stop all. Returns the exit code.

    `stop_within_s`: what each part was told, SOFTRAY_STOP_WITHIN_S.
    """
    running = [_Part(name, [sys.executable, "-m", "service.cli", *arguments]) for name, arguments in parts.items()]
    signals = StopSignals(at_once=lambda: _end_now(running))
    signals.begin_work()
    try:
        while not signals.requested.is_set():
            for part in running:
                _keep_alive(part)
            signals.requested.wait(0.2)
    finally:
        _stop(running, stop_within_s + GRACE_S)
    return 0


def _keep_alive(part: _Part) -> None:
    now = time.monotonic()
    if part.process is not None:
        code = part.process.poll()
        if code is None:
            return
        if now - part.started_at > STEADY_AFTER_S:
            part.pause_s = FIRST_PAUSE_S
        log_event(logger, "part_ended", part=part.name, exit_code=code, start_again_in_s=part.pause_s)
        part.process = None
        part.start_again_at = now + part.pause_s
        part.pause_s = min(LONGEST_PAUSE_S, part.pause_s * 2)
    if now >= part.start_again_at:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the parts in order.
        part.process = subprocess.Popen(part.command, start_new_session=True, preexec_fn=die_with_parent)
        part.started_at = now
        log_event(logger, "part_started", part=part.name, pid=part.process.pid)


def _stop(parts: list[_Part], within_s: float) -> None:
    """SIGTERM to all, then SIGKILL to what is left: nothing is lost either way, work under way is picked up again."""
    alive = _alive(parts)
    began = time.monotonic()
    for _, process in alive:
        process.terminate()
    for part, process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, began + within_s - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
        took = round(time.monotonic() - began, 1)
        log_event(logger, "part_stopped", part=part.name, exit_code=process.returncode, after_s=took)


def _end_now(parts: list[_Part]) -> None:
    """The second SIGTERM for every part, and SIGKILL to what does not hear it; called while `_stop` waits."""
    alive = [process for _, process in _alive(parts)]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + AT_ONCE_S
    while time.monotonic() < deadline and any(process.poll() is None for process in alive):
        time.sleep(0.02)
    for process in alive:
        process.kill()


def _alive(parts: list[_Part]) -> list[tuple[_Part, subprocess.Popen[bytes]]]:
    return [(part, part.process) for part in parts if part.process is not None and part.process.poll() is None]


def die_with_parent() -> None:
    """For `preexec_fn`, on Linux: the child gets SIGTERM when its parent is killed, so that no orphan keeps ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
