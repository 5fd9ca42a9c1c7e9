"""The demo's service, as a child process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys, time
from pathlib import Path
from service.settings import Settings
from worker import demo
sys.executable = {stub!r}
demo._wait_for_echo = lambda *_: None
with demo._service(Settings(), Path({log!r})):
    time.sleep(60)
"""


def ended(pid: int) -> bool:
    """Gone, or a zombie that the container's first process has not buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells only there")
def test_a_killed_demo_takes_its_service_along(tmp_path: Path) -> None:
    stub, pid_file = tmp_path / "stub", tmp_path / "pid"
    stub.write_text(f"#!/bin/sh\necho $$ > {pid_file}.new && mv {pid_file}.new {pid_file}\nexec sleep 60\n")
    stub.chmod(0o700)
    code = PROGRAM.format(stub=str(stub), log=str(tmp_path / "log"))
    with subprocess.Popen([sys.executable, "-c", code]) as demo:
        deadline = time.monotonic() + 60
        while not pid_file.is_file():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        demo.kill()
    service = int(pid_file.read_text())
    while not ended(service):
        assert time.monotonic() < deadline, "the service outlived the demo"
        time.sleep(0.05)
