"""The supervisor of `softray up`: what ends by itself is started again, and a stop reaches every part."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from service.database import upgrade

PROGRAM = """
import logging
from service import supervisor
from service.logs import configure_logging
configure_logging("INFO", "text")
raise SystemExit(supervisor.supervise({parts}))
"""


def supervising(parts: dict[str, list[str]], folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    log = folder / "log"
    environment = os.environ | {"SOFTRAY_DATA_DIR": str(folder / "data"), "SOFTRAY_MIN_FREE_BYTES": "0"}
    with log.open("wb") as opened:
        code = PROGRAM.format(parts=repr(parts))
        process = subprocess.Popen([sys.executable, "-c", code], stdout=opened, stderr=opened, env=environment)
    return process, log


def wait_until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def started(log: Path) -> list[int]:
    return [int(pid) for pid in re.findall(r"part_started .*?pid=(\d+)", log.read_text())]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_part_that_ends_by_itself_is_started_again_after_a_pause(tmp_path: Path) -> None:
    process, log = supervising({"short": ["--version"]}, tmp_path)
    try:
        wait_until(lambda: len(started(log)) >= 3)
        pauses = [float(s) for s in re.findall(r"start_again_in_s=([\d.]+)", log.read_text())]
        assert pauses[:2] == [1.0, 2.0]
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_a_killed_part_is_started_again_and_a_stop_ends_every_part(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'data' / 'softray.sqlite3'}")
    process, log = supervising({"forever": ["worker", "network"]}, tmp_path)
    wait_until(lambda: "worker_ready" in log.read_text())
    assert "part_ended" not in log.read_text()
    first = started(log)[0]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(started(log)) >= 2)
    process.terminate()
    assert process.wait(timeout=30) == 0
    wait_until(lambda: not any(alive(pid) for pid in started(log)))
