"""Commands about remote nodes: the application entities that may send to us, and those that get the results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from service.audit.chain import append
from service.audit.events import AuditEvent, AuditKind
from service.cli.connection import session
from service.cli.launch import fail
from service.cli.operator import operator
from service.errors import SoftrayError
from service.registry import remote_nodes

app = typer.Typer(help="Remote nodes: who may send radiographs to softray, and who gets the results.")


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(app, name="remote", no_args_is_help=True)


@dataclass(frozen=True)
class Address:
    """Where a remote node answers; `tls`: over TLS only."""

    ae_title: str
    host: str
    port: int
    tls: bool = False


def find_node(to: str) -> Address:
    """`to` as AE@HOST:PORT, or as the name of a remote node; ends the program when it is neither."""
    ae_title, at, address = to.partition("@")
    host, colon, port = address.rpartition(":")
    if at and colon and port.isdigit():
        return Address(ae_title, host, int(port))
    with session() as opened:
        node = remote_nodes.find_remote_node(opened, to)
    if node is None:
        fail(f"UNKNOWN_NODE: expected AE@HOST:PORT or the name of a remote node, found {to!r}")
    if node.url is not None:
        fail(f"NO_DICOM_ADDRESS: {to!r} is a DICOMweb service; expected a node that associations can be made with")
    return Address(node.ae_title, node.host, node.port, node.tls)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name of your own for the node, e.g. PACS.")],
    ae_title: Annotated[str, typer.Argument(help="Its AE title, exactly as it calls itself.")],
    host: Annotated[str, typer.Argument(help="Host name or address.")],
    port: Annotated[int, typer.Argument(help="DICOM port.", min=1, max=65535)],
    may_send: Annotated[bool, typer.Option("--may-send/--no-send", help="Accept images from this AE title.")] = True,
    receives_results: Annotated[
        bool, typer.Option("--receives-results/--no-results", help="Deliver every result to this node.")
    ] = True,
    commitment: Annotated[
        bool, typer.Option("--commitment/--no-commitment", help="Ask it for storage commitment of what it was sent.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Where no commitment comes, look whether it has the results.")
    ] = False,
    tls: Annotated[bool, typer.Option("--tls/--no-tls", help="Send to it over TLS, with our certificate.")] = False,
) -> None:
    """Add a remote node. A running service knows it at once."""
    try:
        with session() as opened:
            remote_nodes.add_remote_node(
                opened,
                name=name,
                ae_title=ae_title,
                host=host,
                port=port,
                may_send=may_send,
                receives_results=receives_results,
                now=datetime.now(UTC),
                terms=remote_nodes.DeliveryTerms(tls=tls, requests_commitment=commitment, verifies=verify),
            )
            does = f"send {may_send}, results {receives_results}, TLS {tls}"
            _audit(opened, AuditKind.NODE_ADDED, name, f"{ae_title}@{host}:{port}, {does}")
    except (SoftrayError, ValueError) as error:
        fail(str(error))
    typer.echo(f"added {name}: {ae_title}@{host}:{port}")


@app.command("add-web")
def add_web(
    name: Annotated[str, typer.Argument(help="A name of your own for the service, e.g. ARCHIVE.")],
    url: Annotated[str, typer.Argument(help="Root of its DICOMweb service, e.g. https://pacs.example/dicom-web.")],
    token_file: Annotated[
        Path | None, typer.Option(help="File with the bearer token that it knows us by; it stays where it is.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Look by QIDO-RS whether it has the results it was sent.")
    ] = False,
) -> None:
    """Add a DICOMweb service that gets the results by STOW-RS."""
    address = urlsplit(url)
    try:
        with session() as opened:
            remote_nodes.add_remote_node(
                opened,
                name=name,
                ae_title="STOW-RS",
                host=address.hostname or "",
                port=address.port or (443 if address.scheme == "https" else 80),
                may_send=False,
                receives_results=True,
                now=datetime.now(UTC),
                terms=remote_nodes.DeliveryTerms(
                    url=url, token_file=str(token_file.absolute()) if token_file else None, verifies=verify
                ),
            )
            _audit(opened, AuditKind.NODE_ADDED, name, url)
    except (SoftrayError, ValueError) as error:
        fail(str(error))
    typer.echo(f"added {name}: {url}")


@app.command("list")
def list_nodes() -> None:
    """List the remote nodes."""
    with session() as opened:
        nodes = remote_nodes.list_remote_nodes(opened)
    if not nodes:
        typer.echo("no remote nodes yet: add one with `softray remote add NAME AE_TITLE HOST PORT`")
        return
    table = Table("name", "AE title", Column("address", overflow="fold"), Column("does", overflow="fold"))
    for node in nodes:
        does = {
            "sends": node.may_send,
            "receives results": node.receives_results,
            "over TLS": node.tls,
            "commits": node.requests_commitment,
            "is verified": node.verifies,
        }
        what = ", ".join(word for word, true in does.items() if true)
        table.add_row(node.name, node.ae_title, node.url or f"{node.host}:{node.port}", what or "nothing")
    Console().print(table)


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="The name the node was added under.")]) -> None:
    """Remove a remote node. What was recorded about it stays."""
    try:
        with session() as opened:
            abandoned = remote_nodes.remove_remote_node(opened, name, now=datetime.now(UTC))
            _audit(opened, AuditKind.NODE_REMOVED, name, f"{abandoned} deliveries given up")
    except SoftrayError as error:
        fail(str(error))
    typer.echo(f"removed {name}" + (f"; {abandoned} deliveries that waited for it have failed" if abandoned else ""))


def _audit(opened: Session, kind: AuditKind, name: str, detail: str) -> None:
    append(opened, AuditEvent(kind, operator(), subject=name, detail=detail), now=datetime.now(UTC))
