from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.service_process import free_port, wait_for


def answer(address: str) -> httpx.Response | None:
    try:
        return httpx.get(address)
    except httpx.TransportError:
        return None


def test_the_process_serves_stops_when_told_and_logs_no_address_that_was_asked_for(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "SOFTRAY_DATA_DIR": str(tmp_path),
        "SOFTRAY_API_PORT": str(port),
        "SOFTRAY_LOG_FORMAT": "json",
        "SOFTRAY_ENV_FILE": "",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.api"], env=os.environ | settings, stdout=output, stderr=output
        )
    try:
        alive = wait_for("the API", lambda: answer(f"http://127.0.0.1:{port}/health/live"), within_s=60)
        assert alive.json() == {"status": "alive"}
        # The tables are missing: said, not hidden, and cured by `softray migrate` alone.
        ready = httpx.get(f"http://127.0.0.1:{port}/health/ready")
        assert ready.status_code == 503
        assert "registry" in [detail["subject"] for detail in ready.json()["details"]]
        # Nobody is let in before anybody can log in.
        assert httpx.get(f"http://127.0.0.1:{port}/Doe-Jane").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in {0, -signal.SIGTERM}
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "api_listening" in log.read_text()
    assert "Doe" not in log.read_text()
