"""`softray pull`: fetch priors from an archive."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.connection import bring_up_to_date
from service.cli.launch import call, settings
from service.cli.remote import find_node

PULL = "dicom_node.pull_command:run_pull"


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("pull")(pull)


def pull(
    source: Annotated[str, typer.Option("--from", help="Name of a remote node, or AE@HOST:PORT.")],
    accession: Annotated[str | None, typer.Option(help="The study with this accession number.")] = None,
    study: Annotated[str | None, typer.Option(help="The study with this Study Instance UID.")] = None,
    date: Annotated[str | None, typer.Option(help="Studies of this date: YYYYMMDD, or YYYYMMDD-YYYYMMDD.")] = None,
    modality: Annotated[str | None, typer.Option(help="Only CR, or only DX.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be fetched and end.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, help="At most so many instances a minute.")] = 30.0,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many instances in all.")] = None,
    move_to: Annotated[str | None, typer.Option(help="AE title to send to; as a rule our own (the default).")] = None,
) -> None:
    """Have an archive send its CR and DX images to softray (C-FIND, then C-MOVE): priors are processed too.

    What is here already is not fetched again, so an interrupted pull is resumed by repeating it. Ctrl-C cancels.
    Exit code 1 if not everything arrived.
    """
    configured = settings()
    bring_up_to_date(configured)
    node = find_node(source)
    call(
        PULL,
        configured,
        ae_title=node.ae_title,
        host=node.host,
        port=node.port,
        tls=node.tls,
        accession=accession,
        study=study,
        dates=date,
        modality=modality,
        dry_run=dry_run,
        rate=rate,
        limit=limit,
        move_to=move_to,
    )
