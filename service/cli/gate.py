"""The command that explains the gate: which rule says what about a file, and what its picture shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings

GATE = "dicom_node.gate_command:run"
REFUSED_EXIT_CODE = 3


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("gate")(gate)


def gate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="DICOM files, or folders of them.")],
    json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead of text.")] = False,
) -> None:
    """Explain what the gate says about files: every rule's answer, what the picture shows, the verdict and its code.

    Uses the site file of this installation. Nothing is processed or kept, and no patient's data is printed. Exit code
    0 when every file would be processed, 3 when any would not.
    """
    if not call(GATE, settings(), files=files, as_json=json):
        raise typer.Exit(REFUSED_EXIT_CODE)
