"""Commands that handle images at hand: suppress, demo, send, echo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings
from service.cli.remote import find_node

SUPPRESS = "worker.suppress_file:run"
DEMO = "worker.demo:run"
SEND = "dicom_node.store_scu_command:run_send"
SEND_WEB = "dicom_node.stow_scu_command:run_send"
ECHO = "dicom_node.store_scu_command:run_echo"


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("suppress")(suppress)
    app.command("demo")(demo)
    app.command("send")(send)
    app.command("echo")(echo)


def suppress(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A chest radiograph: DICOM (CR or DX) or grey PNG.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where the result goes: DICOM, or PNG if it ends so.")],
    bone: Annotated[Path | None, typer.Option(help="Also write what was taken away, as PNG on grey.")] = None,
    seeds: Annotated[
        int, typer.Option(min=0, max=64, help="Average so many samples; 0: as SOFTRAY_SPREAD_SEEDS says.")
    ] = 0,
    spread: Annotated[
        Path | None, typer.Option(help="Also write where the samples differ, as PNG (of 4 seeds unless --seeds).")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Folder for the estimate at each sampling step: a strip and an animation.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Process it although the gate refuses it (not a frontal chest).")] = False,
) -> None:
    """Remove the bone shadows from one file: the service's own pipeline, without PACS or database.

    The service's gate applies, by header and by picture. A PNG has no header and is taken for a frontal chest, bone
    bright, unless its picture plainly shows something else.
    """
    call(
        SUPPRESS,
        settings(),
        source=source,
        target=target,
        bone=bone,
        seeds=seeds,
        spread=spread,
        trace=trace,
        force=force,
    )


def demo(
    source: Annotated[
        Path | None, typer.Option("--input", help="Your own radiograph (DICOM or grey PNG) instead of the phantom.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when the result is there; exit code 0 if it is.")] = False,
    output: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path("demo-output"),
) -> None:
    """Show the whole path: starts softray and a stand-in PACS, sends a radiograph, waits for the soft-tissue series.

    Everything runs on this machine, on free ports. The service goes on running until Ctrl-C unless --once is given.
    """
    call(DEMO, settings(), source=source, once=once, output=output)


def send(
    files: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them.")],
    to: Annotated[str, typer.Option(help="Name of a remote node, AE@HOST:PORT, or https://… of a DICOMweb service.")],
    token_file: Annotated[Path | None, typer.Option(help="File with the bearer token for a DICOMweb service.")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Authorities (PEM) it is trusted by; else SOFTRAY_WEB_CA_FILE.")
    ] = None,
) -> None:
    """Send DICOM files by C-STORE or STOW-RS and show each instance's answer. Exit code 1 if any was not stored."""
    if to.startswith(("https://", "http://")):
        call(SEND_WEB, settings(), files=files, url=to, token_file=token_file, ca_file=ca_file)
        return
    node = find_node(to)
    call(SEND, settings(), files=files, ae_title=node.ae_title, host=node.host, port=node.port, tls=node.tls)


def echo(
    to: Annotated[str, typer.Argument(help="Name of a remote node, or AE@HOST:PORT.")],
) -> None:
    """Ask a remote node whether it answers (C-ECHO). Exit code 1 if it does not."""
    node = find_node(to)
    call(ECHO, settings(), ae_title=node.ae_title, host=node.host, port=node.port, tls=node.tls)
