"""Commands that run a part of the service until it is told to stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from service import supervisor
from service.cli.connection import bring_up_to_date
from service.cli.launch import call, fail, settings
from service.errors import SoftrayError
from service.logs import configure_logging
from service.settings import Settings

NODE = "dicom_node.__main__:run"
API = "service.api.serve:serve"
GPU_WORKER = "worker.app:run_gpu"
NETWORK_WORKER = "worker.app:run_network"


class WorkerKind(StrEnum):
    """The two kinds of worker."""

    GPU = "gpu"
    NETWORK = "network"


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("up")(up)
    app.command("node")(node)
    app.command("api")(api)
    app.command("worker")(worker)
    app.command("migrate")(migrate)


def up() -> None:
    """Run everything on this machine: DICOM node, admin API, GPU worker, network worker.

    With the default settings no server is needed: SQLite, a folder for the images and a folder as message broker, all
    under SOFTRAY_DATA_DIR. A part that ends by itself is started again. Ctrl-C stops all of them, a second Ctrl-C at
    once.
    """
    configured = settings()
    configure_logging(configured.log_level, configured.log_format)
    _migrate(configured)
    raise typer.Exit(supervisor.supervise(supervisor.PARTS, stop_within_s=configured.stop_within_s))


def node() -> None:
    """Run the DICOM node: receives radiographs by C-STORE under SOFTRAY_AE_TITLE and answers C-ECHO."""
    call(NODE, settings())


def api() -> None:
    """Run the admin API and its page: studies, jobs with their history, retry. Who may do what: docs/access.md."""
    call(API, settings())


def worker(kind: Annotated[WorkerKind, typer.Argument(help="gpu: computes. network: delivers to the PACS.")]) -> None:
    """Run a worker: `gpu` computes soft-tissue images, `network` delivers them and picks up what was left standing."""
    call(GPU_WORKER if kind is WorkerKind.GPU else NETWORK_WORKER, settings())


def migrate() -> None:
    """Bring the database to this version's tables. Safe to run again, and while another process does the same."""
    _migrate(settings())
    typer.echo("the database is up to date")


def _migrate(configured: Settings) -> None:
    """A database that cannot be reached or read ends the command with its sentence."""
    try:
        bring_up_to_date(configured)
    except SoftrayError as error:
        fail(str(error))
