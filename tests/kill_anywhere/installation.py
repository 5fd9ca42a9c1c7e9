"""The installation under test with its surroundings: processes, peers, the connections between them, and the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import redis
from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory, upgrade
from service.instance_store import InstanceStore
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.settings import Settings
from tests.kill_anywhere.crash_points import ControlFolder
from tests.kill_anywhere.images import CALLING_AE_TITLE, SIDE
from tests.kill_anywhere.injection import Victim
from tests.kill_anywhere.peers import Peer
from tests.kill_anywhere.processes import Processes
from tests.kill_anywhere.tcp_proxy import TcpProxy
from tests.peers import orthanc, postgres
from tests.peers import redis as redis_server
from tests.peers.process import free_port, listens

LEASE_S = 1.5
DISK_BYTES = 512 * 1024 * 1024
DATABASE = "softray_under_test"


@dataclass
class Installation:
    """Everything that an injection may touch. `sessions` reaches the registry without a proxy."""

    settings: Settings
    sessions: sessionmaker[Session]
    store: InstanceStore
    control: ControlFolder
    processes: Processes
    orthanc: orthanc.Orthanc
    peers: dict[Victim, Peer]
    proxies: dict[Victim, TcpProxy]
    reports: TcpProxy
    redis_url: str | None
    disk: Path | None
    logs: Path
    turns: dict[Victim, threading.Lock] = field(default_factory=lambda: {victim: threading.Lock() for victim in Victim})

    @property
    def victims(self) -> list[Victim]:
        """What there is to be broken here."""
        there = {Victim.PROCESS, Victim.MESSAGE, Victim.SENDER, *self.peers}
        if self.disk is not None:
            there.add(Victim.DISK)
        if self.redis_url is None:
            there.add(Victim.FOLDER)
        return [victim for victim in Victim if victim in there]

    @property
    def sender_port(self) -> int:
        """Where modalities send to."""
        return self.proxies[Victim.SENDER].port

    def flush_broker(self) -> None:
        """Forget every message."""
        if self.redis_url is not None:
            with redis.Redis.from_url(self.redis_url) as client:
                client.flushall()
            return
        for message in (self.settings.data_dir / "broker").rglob("*.msg"):
            message.unlink(missing_ok=True)

    def fill_disk(self) -> None:
        """Take every free byte, then what a writer left meanwhile."""
        assert self.disk is not None
        filler = os.open(self.disk / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            free = shutil.disk_usage(self.disk).free
            if free:
                with contextlib.suppress(OSError):
                    os.posix_fallocate(filler, 0, free)
        finally:
            os.close(filler)

    def free_disk(self) -> None:
        """Give them back."""
        assert self.disk is not None
        (self.disk / "filler").unlink(missing_ok=True)


@contextlib.contextmanager
def installed(folder: Path, *, embedded: bool) -> Iterator[Installation]:
    """A running installation in `folder`: with PostgreSQL and Redis, or the embedded default without them."""
    with contextlib.ExitStack() as stack:
        data, logs = folder / "data", folder / "logs"
        for made in (data, logs):
            made.mkdir(parents=True)
        disk = stack.enter_context(_small_disk(data))
        control = ControlFolder(folder / "control")
        control.prepare()
        peers: dict[Victim, Peer] = {}
        proxies: dict[Victim, TcpProxy] = {}
        node_port, redis_url, database_url = free_port(), None, f"sqlite:///{data / 'softray.sqlite3'}"
        environment = _environment(data, node_port)
        if not embedded:
            database_url, redis_url = _start_servers(stack, folder, logs, peers, proxies, environment)
        reports = _proxy(stack, node_port)
        archive = _start_orthanc(stack, folder, logs, peers, softray_port=reports.port)
        proxies[Victim.ORTHANC] = _proxy(stack, archive.dicom_port)
        proxies[Victim.SENDER] = _proxy(stack, node_port)
        upgrade(database_url)
        engine = make_engine(database_url)
        stack.callback(engine.dispose)
        sessions = make_session_factory(engine)
        _register_nodes(sessions, archive.ae_title, proxies[Victim.ORTHANC].port)
        chosen = {
            name.removeprefix("SOFTRAY_").lower(): value
            for name, value in environment.items()
            if name.startswith("SOFTRAY_")
        }
        settings = Settings(**chosen)  # type: ignore[arg-type]
        store = InstanceStore(settings.instances_dir, 0)
        processes = Processes(control.root, logs, environment)
        stack.callback(processes.close)
        installation = Installation(
            settings, sessions, store, control, processes, archive, peers, proxies, reports, redis_url, disk, logs
        )  # fmt: skip
        _wait_until_it_listens(installation)
        yield installation


def _environment(data: Path, node_port: int) -> dict[str, str]:
    chosen = {
        "DATA_DIR": data, "DICOM_HOST": "127.0.0.1", "DICOM_PORT": node_port, "API_PORT": free_port(),
        "API_LOGIN": "auto",
        "MIN_FREE_BYTES": 0, "MIN_SIDE": SIDE, "SIBLING_WAIT_S": 0, "DEVICE": "cpu", "TORCH_THREADS": 1,
        "LEASE_S": LEASE_S, "SWEEP_INTERVAL_S": 0.25, "RETRY_BASE_S": 0.2, "RETRY_MAX_S": 1, "MAX_ATTEMPTS": 30,
        "DELIVERY_MAX_ATTEMPTS": 100, "NETWORK_TIMEOUT_S": 2, "DIMSE_TIMEOUT_S": 4, "ACSE_TIMEOUT_S": 4,
        "COMMITMENT_TIMEOUT_S": 1.5, "INFERENCE_DEADLINE_S": 20, "LOG_FORMAT": "json",
    }  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SOFTRAY_")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    return clean | threads | {"PYTHONPATH": path} | {f"SOFTRAY_{name}": str(value) for name, value in chosen.items()}


def _start_servers(
    stack: contextlib.ExitStack,
    folder: Path,
    logs: Path,
    peers: dict[Victim, Peer],
    proxies: dict[Victim, TcpProxy],
    environment: dict[str, str],
) -> tuple[str, str]:
    programs = postgres.postgres_programs()
    assert programs is not None, "PostgreSQL (initdb) is not installed"
    port = free_port()
    user = postgres.unprivileged_user() if os.geteuid() == 0 else None
    cluster = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="softray-kill-", ignore_cleanup_errors=True)))
    if user is not None:
        shutil.chown(cluster, user)
    server = f"postgresql://softray@127.0.0.1:{port}"
    command = postgres.prepared(programs, cluster, port, user)
    # A crashed server is back at once, as a site's is with its default; only nothing is synced, since no machine dies.
    database = Peer(
        "PostgreSQL",
        command,
        cluster / "log",
        lambda: postgres.answers(server),
        user,
        stop_signal=signal.SIGINT,
    )
    database.start()
    stack.callback(database.stop)
    peers[Victim.POSTGRES] = database
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    redis_port = free_port()
    redis_url = f"redis://127.0.0.1:{redis_port}/0"
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis_port), "--save", "", "--dir", str(folder)]
    broker = Peer("Redis", command, logs / "redis.log", lambda: redis_server.answers(redis_url))
    broker.start()
    stack.callback(broker.stop)
    peers[Victim.REDIS] = broker
    proxies[Victim.POSTGRES], proxies[Victim.REDIS] = _proxy(stack, port), _proxy(stack, redis_port)
    environment["SOFTRAY_DATABASE_URL"] = f"postgresql://softray@127.0.0.1:{proxies[Victim.POSTGRES].port}/{DATABASE}"
    environment["SOFTRAY_BROKER_URL"] = f"redis://127.0.0.1:{proxies[Victim.REDIS].port}/0"
    return f"{server}/{DATABASE}", redis_url


def _start_orthanc(
    stack: contextlib.ExitStack, folder: Path, logs: Path, peers: dict[Victim, Peer], *, softray_port: int
) -> orthanc.Orthanc:
    archive = orthanc.Orthanc("ORTHANC", free_port(), f"http://127.0.0.1:{free_port()}")
    file = orthanc.write_configuration(folder / "orthanc", archive, softray_port=softray_port, dicomweb=False)
    peer = Peer("Orthanc", ["Orthanc", str(file)], logs / "orthanc.log", lambda: orthanc.answers(archive))
    peer.start()
    stack.callback(peer.stop)
    peers[Victim.ORTHANC] = peer
    return archive


def _proxy(stack: contextlib.ExitStack, port: int) -> TcpProxy:
    proxy = TcpProxy(port)
    stack.callback(proxy.close)
    return proxy


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """A tmpfs on `folder`, which only root can have: None otherwise, and no disk is filled then."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def _register_nodes(sessions: sessionmaker[Session], archive: str, port: int) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        add_remote_node(
            session, name="modality", ae_title=CALLING_AE_TITLE, host="127.0.0.1", port=104,
            may_send=True, receives_results=False, now=now,
        )  # fmt: skip
        add_remote_node(
            session, name="archive", ae_title=archive, host="127.0.0.1", port=port, may_send=True,
            receives_results=True, now=now, terms=DeliveryTerms(requests_commitment=True, verifies=True),
        )  # fmt: skip


def _wait_until_it_listens(installation: Installation) -> None:
    from tests.service_process import wait_for

    for port in (installation.settings.dicom_port, installation.settings.api_port):
        wait_for(f"port {port}", lambda port=port: listens(port), 60)  # type: ignore[misc]
