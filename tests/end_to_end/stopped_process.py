"""Stopping one of softray's processes as an operator or a container engine does, and how long it took."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass

from tests.service_process import Service, wait_for

# Times are held where every process gets its turn at once; where more of them want one than there are cores, longer.
_SLOWNESS = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
AT_ONCE_S = 1.0 * _SLOWNESS
SOON_S = 8.0 * _SLOWNESS


@dataclass(frozen=True)
class Stopped:
    """`exit_code` and the seconds from the last signal to the end."""

    exit_code: int
    after_s: float


def ask(service: Service, part: str, number: signal.Signals = signal.SIGTERM) -> float:
    """Send the first signal; the moment of it."""
    service.processes[part].send_signal(number)
    return time.monotonic()


def ended(service: Service, part: str, asked_at: float, within_s: float) -> Stopped:
    """Wait for the end, and print it for the figures in the documents."""
    process = service.processes[part]
    try:
        process.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{part} did not end within {within_s} s\n{service.logs()}") from None
    stopped = Stopped(process.returncode, time.monotonic() - asked_at)
    service.processes.pop(part)
    print(f"{part}: exit code {stopped.exit_code} after {stopped.after_s:.2f} s")
    return stopped


def stop_at_once(service: Service, part: str, second: signal.Signals = signal.SIGTERM) -> Stopped:
    """Two signals, the second after the first was heard: two of a kind at one moment may be one (signal(7))."""
    heard_before = log_of(service, part).count("stop_requested")
    ask(service, part)
    wait_for("the first signal to be heard", lambda: log_of(service, part).count("stop_requested") > heard_before, 10)
    return ended(service, part, ask(service, part, second), 15)


def log_of(service: Service, part: str) -> str:
    return (service.folder / f"{part}.log").read_text()
