"""The command that computes a stored result again and compares it."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.launch import call, settings

REPLAY = "worker.replay:run"
DIFFERENT_EXIT_CODE = 3


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("replay")(replay)


def replay(
    job_id: Annotated[str, typer.Argument(help="A job that has made a soft-tissue image.")],
    json: Annotated[bool, typer.Option("--json", help="Print one object instead of text.")] = False,
) -> None:
    """Compute a job's result again as its receipt says and compare the pixels; nothing is kept or delivered.

    Exit code 0 when they are the same (or near enough, in another environment), 3 when they are not, 1 when the replay
    is not possible.
    """
    if not call(REPLAY, settings(), job_id=job_id, as_json=json):
        raise typer.Exit(DIFFERENT_EXIT_CODE)
