"""`softray demo`: the whole path on one machine, with real DIMSE on both sides.

Starts softray on its embedded default and a stand-in PACS, sends one radiograph as a modality would, follows it through
the registry, and shows what came back.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydicom import dcmread
from rich.console import Console

from dicom_node.pixels import read_source
from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.store_scu import Outcome, Peer, echo, send
from service.database import make_engine, make_session_factory, upgrade
from service.errors import PermanentError, TransientError
from service.registry import remote_nodes
from service.settings import Settings
from service.supervisor import die_with_parent
from worker.demo_follow import Followed, follow
from worker.demo_input import demo_radiograph
from worker.image_files import write_comparison_png

console = Console(soft_wrap=True, highlight=False)

MODALITY_AE = "DEMO_MODALITY"
PACS_AE = "DEMO_PACS"
START_WITHIN_S = 60.0
COMPARISON_SIDE = 1024


def run(settings: Settings, *, source: Path | None, once: bool, output: Path) -> None:
    """Run the demo in folder `output`; `source` None = the phantom. Without `once` the service stays until Ctrl-C.

    Raises PermanentError when the radiograph is refused or fails, TransientError when a part does not start.
    """
    output = output.absolute()
    for leftover in ("data", "pacs"):
        shutil.rmtree(output / leftover, ignore_errors=True)
    output.mkdir(parents=True, exist_ok=True)
    configured = settings.model_copy(
        update={
            "data_dir": output / "data",
            "database_url": "",
            "broker_url": "",
            "dicom_host": "127.0.0.1",
            "dicom_port": _free_port(settings.dicom_port),
            "api_port": _free_port(settings.api_port),
            "weights_dir": settings.effective_weights_dir.absolute(),
        }
    )
    console.print("[bold]softray demo[/bold]: a chest radiograph in by C-STORE, its soft-tissue series back")
    radiograph = demo_radiograph(source, output)
    with StandInPacs(output / "pacs", ae_title=PACS_AE) as pacs:
        _prepare_registry(configured, pacs)
        with _service(configured, output / "service.log"):
            console.print(
                f"  service     {configured.ae_title}@127.0.0.1:{configured.dicom_port}, log {output}/service.log"
            )
            console.print(f"  PACS        {PACS_AE}@127.0.0.1:{pacs.port} (a stand-in that writes files)")
            _send(radiograph, configured)
            followed = follow(configured, radiograph, console)
            _show(followed, pacs, radiograph, output)
            if not once:
                _stay(configured)


def _prepare_registry(settings: Settings, pacs: StandInPacs) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.effective_database_url)
    engine = make_engine(settings.effective_database_url)
    now = datetime.now(UTC)
    with make_session_factory(engine).begin() as session:
        remote_nodes.add_remote_node(
            session, name="modality", ae_title=MODALITY_AE, host="127.0.0.1", port=104, may_send=True,
            receives_results=False, now=now,
        )  # fmt: skip
        remote_nodes.add_remote_node(
            session, name="pacs", ae_title=PACS_AE, host="127.0.0.1", port=pacs.port, may_send=False,
            receives_results=True, now=now,
        )  # fmt: skip
    engine.dispose()


@contextmanager
def _service(settings: Settings, log: Path) -> Iterator[None]:
    """`softray up` as a user would start it, until the block ends."""
    environment = os.environ | {
        "SOFTRAY_DATA_DIR": str(settings.data_dir),
        "SOFTRAY_DATABASE_URL": "",
        "SOFTRAY_BROKER_URL": "",
        "SOFTRAY_DICOM_HOST": settings.dicom_host,
        "SOFTRAY_DICOM_PORT": str(settings.dicom_port),
        "SOFTRAY_API_PORT": str(settings.api_port),
        # The demo's own service, with its own data, is for whoever sits at this machine.
        "SOFTRAY_API_HOST": "127.0.0.1",
        "SOFTRAY_API_LOGIN": "auto",
        "SOFTRAY_WEIGHTS_DIR": str(settings.weights_dir),
    }
    with log.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "up"],
            env=environment,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        _wait_for_echo(settings, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_echo(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    node = Peer(settings.ae_title, settings.dicom_host, settings.dicom_port)
    with console.status("starting the service …"):
        while time.monotonic() < deadline and process.poll() is None:
            if _listening(settings.dicom_host, settings.dicom_port) and echo(node, calling_ae_title=MODALITY_AE).ok:
                return
            time.sleep(0.2)
    raise TransientError("NOT_STARTED", f"expected the DICOM node to answer C-ECHO, found it silent; see {log}")


def _send(radiograph: Path, settings: Settings) -> None:
    node = Peer(settings.ae_title, settings.dicom_host, settings.dicom_port)
    [result] = send([radiograph], node, calling_ae_title=MODALITY_AE, timeout_s=settings.network_timeout_s)
    if result.outcome is not Outcome.SENT:
        raise PermanentError("NOT_ACCEPTED", f"the node did not accept the image: {result.code} {result.detail}")
    console.print(f"  sent        C-STORE {radiograph.name}: status 0x{result.status or 0:04X}")


def _show(followed: Followed, pacs: StandInPacs, radiograph: Path, output: Path) -> None:
    delivered = pacs.path_of(followed.derived_sop_instance_uid)
    if delivered is None:
        raise PermanentError("NOT_DELIVERED", "the registry says delivered, but the PACS does not have the instance")
    source, derived = read_source(dcmread(radiograph)), read_source(dcmread(delivered))
    picture = output / "original-soft-bone.png"
    write_comparison_png(picture, source.display, source.display - derived.display, COMPARISON_SIDE)
    console.print(f"  DICOM       {delivered}")
    console.print(f"  picture     {picture}  (original, soft tissue, bone residual)")


def _stay(settings: Settings) -> None:
    console.print(
        f"\nThe service goes on: send to [bold]{settings.ae_title}@127.0.0.1:{settings.dicom_port}[/bold] as "
        f"{MODALITY_AE}, look at [bold]http://127.0.0.1:{settings.api_port}/[/bold]. Ctrl-C ends it."
    )
    stop = False

    def end(_signal: int, _frame: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    while not stop:
        time.sleep(0.2)


def _free_port(wanted: int) -> int:
    """`wanted` if nothing listens there, else one that the system offers."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise TransientError("NO_PORT", "expected a free TCP port on 127.0.0.1, found none")


def _listening(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
