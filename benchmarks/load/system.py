"""The system under load: node, gpu worker with the copy step, network worker, on PostgreSQL and Redis of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Job, RemoteNode
from tests.peers.postgres import fresh_database, postgres_programs, running_postgres
from tests.peers.redis import running_redis
from tests.service_process import Service, installation

COPY_STEP_NOTE = "the network is replaced by an exact copy step; everything around it is the product's own"


@dataclass(frozen=True)
class System:
    """A running installation; `database_url` None: the embedded default (SQLite, folder broker)."""

    service: Service
    database_url: str | None

    @property
    def processes(self) -> Mapping[str, int]:
        """Name to process id."""
        return {name: process.pid for name, process in self.service.processes.items()}

    @property
    def store(self) -> Path:
        """The folder of the instance store."""
        return self.service.settings.instances_dir

    def jobs_in(self, *states: JobState) -> int:
        """How many jobs are in `states`."""
        with self.service.sessions() as session:
            counted = select(func.count()).select_from(Job).where(Job.state.in_(states))
            return session.scalar(counted) or 0

    def jobs_all_ended(self) -> bool:
        """Whether no job waits for anything."""
        return self.jobs_in(JobState.QUEUED, JobState.RUNNING, JobState.DERIVED) == 0

    def deliveries_to(self, node: str) -> dict[DeliveryState, int]:
        """The number of deliveries to `node` by state."""
        counted = (
            select(Delivery.state, func.count())
            .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
            .where(RemoteNode.name == node)
            .group_by(Delivery.state)
        )
        with self.service.sessions() as session:
            return {row[0]: row[1] for row in session.execute(counted)}

    def require_alive(self) -> None:
        """Raises RuntimeError when a process has ended."""
        for name, process in self.service.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with exit code {process.returncode}\n{self.service.logs()}")


@contextlib.contextmanager
def running_system(
    folder: Path, archives: Mapping[str, tuple[str, int]], *, embedded: bool = False, **settings: str
) -> Iterator[System]:
    """The system in `folder`; `archives`: name to (AE title, port) of each PACS that gets the results.

    `settings`: as of `tests.service_process.installation`; leases and sweeps are the product's own unless given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {
        "LEASE_S": "30",
        "SWEEP_INTERVAL_S": "5",
        "RETRY_BASE_S": "10",
        "MIN_SIDE": "64",
        "ACCEPT_UNKNOWN_CALLERS": "true",
        **settings,
    }
    with contextlib.ExitStack() as peers:
        database_url = None
        if not embedded:
            programs = postgres_programs()
            if programs is None:
                raise SystemExit("PostgreSQL (initdb) is not installed (make peers)")
            server = peers.enter_context(running_postgres(programs, durable=True))
            database_url = peers.enter_context(fresh_database(server))
            chosen["DATABASE_URL"] = database_url
            chosen["BROKER_URL"] = peers.enter_context(running_redis(folder))
        service = peers.enter_context(installation(folder / "softray", **chosen))
        for name, (ae_title, port) in archives.items():
            service.add_node(name, ae_title, port, may_send=False, receives_results=True)
        service.start("node", "network")
        _start_copy_worker(service)
        yield System(service, database_url)


def _start_copy_worker(service: Service) -> None:
    with (service.folder / "gpu.log").open("ab") as log:
        service.processes["gpu (copy step)"] = subprocess.Popen(
            [sys.executable, "-m", "tests.copy_worker"],
            env=service.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
