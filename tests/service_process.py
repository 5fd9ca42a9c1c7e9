"""softray's own processes, started as a user starts them, on free ports and in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory, upgrade
from service.registry import queries, remote_nodes
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState
from service.settings import Settings
from tests.peers.process import free_port as free_port

T = TypeVar("T")
PARTS = {
    "up": ["up"],
    "node": ["node"],
    "api": ["api"],
    "gpu": ["worker", "gpu"],
    "network": ["worker", "network"],
}


def wait_for(what: str, condition: Callable[[], T | None], within_s: float, pause_s: float = 0.1) -> T:
    """The first true answer of `condition`, or an AssertionError that says what did not come."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(pause_s)
    raise AssertionError(f"waited {within_s:g} s in vain for {what}")


@dataclass
class Service:
    """A softray installation under test."""

    folder: Path
    environment: dict[str, str]
    settings: Settings
    sessions: sessionmaker[Session]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *parts: str) -> None:
        for part in parts:
            with (self.folder / f"{part}.log").open("ab") as log:
                self.processes[part] = subprocess.Popen(
                    [sys.executable, "-m", "service.cli", *PARTS[part]],
                    env=self.environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        if "node" in parts or "up" in parts:
            wait_for("the DICOM node to listen", lambda: self._listens(self.settings.dicom_port), 60)

    def kill(self, part: str) -> None:
        """kill -9, with everything the process started."""
        process = self.processes.pop(part)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=25)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def add_node(self, name: str, ae_title: str, port: int, *, may_send: bool, receives_results: bool) -> None:
        with self.sessions.begin() as session:
            remote_nodes.add_remote_node(
                session,
                name=name,
                ae_title=ae_title,
                host="127.0.0.1",
                port=port,
                may_send=may_send,
                receives_results=receives_results,
                now=datetime.now(UTC),
            )

    def jobs(self, state: JobState | None = None) -> list[queries.JobSummary]:
        with self.sessions() as session:
            return list(queries.list_jobs(session, JobFilter(state=state), limit=1000))

    def wait_for_job(self, state: JobState, within_s: float = 180) -> queries.JobSummary:
        def arrived() -> queries.JobSummary | None:
            for job in self.jobs():
                if job.state is state:
                    return job
                if job.state is JobState.FAILED:
                    raise AssertionError(f"the job failed: {job.reason_code} {job.reason_detail}; {self.logs()}")
            return None

        try:
            return wait_for(f"a job in state {state}", arrived, within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\njobs: {self.jobs()}\n{self.logs()}") from error

    def detail(self, job_id: str) -> queries.JobDetail:
        with self.sessions() as session:
            found = queries.job_detail(session, job_id)
        assert found is not None
        return found

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def installation(folder: Path, **overrides: str) -> Iterator[Service]:
    """A fresh installation in `folder`; `overrides` are settings by their names in upper case without the prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {
        "DATA_DIR": str(folder / "data"),
        "DICOM_HOST": "127.0.0.1",
        "DICOM_PORT": str(free_port()),
        "API_PORT": str(free_port()),
        "API_LOGIN": "auto",
        "MIN_FREE_BYTES": "0",
        "LEASE_S": "4",
        "SWEEP_INTERVAL_S": "1",
        "RETRY_BASE_S": "1",
        "DEVICE": "cpu",
    } | overrides
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SOFTRAY_")}
    environment = clean | {f"SOFTRAY_{name}": value for name, value in chosen.items()}
    settings = Settings(**{name.lower(): value for name, value in chosen.items()})  # type: ignore[arg-type]
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.effective_database_url)
    engine = make_engine(settings.effective_database_url)
    service = Service(folder, environment, settings, make_session_factory(engine))
    try:
        yield service
    finally:
        service.stop()
        engine.dispose()
