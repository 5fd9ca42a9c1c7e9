"""All commands under one name, in the order in which an administrator meets them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from service.cli import (
    access,
    audit,
    data,
    doctor,
    evaluate,
    files,
    gate,
    processes,
    pull,
    recall,
    records,
    remote,
    replay,
    train,
    weights,
)

app = typer.Typer(
    name="softray",
    help="Soft-tissue chest radiographs, delivered: receives chest radiographs by DICOM C-STORE, removes the bone "
    "shadows, and sends the result back to the PACS as a derived series. Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print softray's version and exit.")] = False,
) -> None:
    """Options that need no command."""
    if show_version:
        typer.echo(f"softray {version('softray')}")
        raise typer.Exit
    del context


processes.add_to(app)
files.add_to(app)
pull.add_to(app)
gate.add_to(app)
remote.add_to(app)
records.add_to(app)
replay.add_to(app)
recall.add_to(app)
access.add_to(app)
audit.add_to(app)
doctor.add_to(app)
weights.add_to(app)
data.add_to(app)
train.add_to(app)
evaluate.add_to(app)


def main() -> None:
    """Run the command line."""
    app()
