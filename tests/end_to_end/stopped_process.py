"""Stopping one of softray's processes as an operator or a container engine does, and how long it took."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass

from tests.service_process import Service

AT_ONCE_S = 1.0


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


def stop(service: Service, part: str, within_s: float) -> Stopped:
    """One SIGTERM, and the end."""
    return ended(service, part, ask(service, part), within_s)


def log_of(service: Service, part: str) -> str:
    return (service.folder / f"{part}.log").read_text()
