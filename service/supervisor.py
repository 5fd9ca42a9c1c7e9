"""Runs the parts of the service as child processes on one machine, and starts again what ends by itself."""

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

logger = logging.getLogger(__name__)

PARTS: Mapping[str, Sequence[str]] = {
    "node": ["node"],
    "api": ["api"],
    "gpu-worker": ["worker", "gpu"],
    "network-worker": ["worker", "network"],
}
STOP_WITHIN_S = 20.0
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


def supervise(parts: Mapping[str, Sequence[str]]) -> int:
    """Run every part (name -> arguments of `softray`) until SIGINT or SIGTERM, then stop all. Returns the exit code."""
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    running = [_Part(name, [sys.executable, "-m", "service.cli", *arguments]) for name, arguments in parts.items()]
    try:
        while not stopping:
            for part in running:
                _keep_alive(part)
            time.sleep(0.2)
    finally:
        _stop(running)
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


def _stop(parts: list[_Part]) -> None:
    """SIGTERM to all, then SIGKILL to what is left: nothing is lost either way, work under way is picked up again."""
    alive = [part.process for part in parts if part.process is not None and part.process.poll() is None]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + STOP_WITHIN_S
    for process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()


def die_with_parent() -> None:
    """For `preexec_fn`, on Linux: the child gets SIGTERM when its parent is killed, so that no orphan keeps ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
