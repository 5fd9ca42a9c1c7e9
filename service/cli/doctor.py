"""`softray doctor`: is everything as it should be, and what is to be done."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from service.cli.launch import call, settings

DOCTOR = "worker.doctor.examination:run_doctor"


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("doctor")(doctor)


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is safe to put right.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print an object instead of lines.")] = False,
) -> None:
    """Look at everything softray stands on, and say in a line each what is wrong, what it means and what to do.

    Safe at any time, while softray runs or not, and to run twice. Exit code 0: all in order; 1: something is not; 2:
    nothing is known to be wrong, but something could not be looked at.
    """
    raise typer.Exit(cast(int, call(DOCTOR, settings(), as_json=json, repair=repair)))
