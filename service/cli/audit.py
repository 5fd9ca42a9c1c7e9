"""Commands about the audit trail: verify it, export it."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from sqlalchemy.orm import Session

from service.audit.chain import append
from service.audit.dicom_message import AuditSource, to_xml
from service.audit.events import AuditEvent, AuditKind
from service.audit.json_lines import from_lines, to_lines
from service.audit.records import Head, hold_moment, read_events, read_head
from service.audit.verify import Break, Verdict, verify
from service.cli.connection import session, sessions
from service.cli.launch import fail, settings
from service.cli.operator import operator
from service.database import transaction
from service.errors import PermanentError

BROKEN_EXIT_CODE = 3
app = typer.Typer(help="Audit trail: verify that nobody changed it, export it.")


class Form(StrEnum):
    """How exported events are written."""

    JSON = "json"
    DICOM = "dicom"


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(app, name="audit", no_args_is_help=True)


@app.command("verify")
def verify_trail(
    checkpoint: Annotated[
        str, typer.Option(help="SEQ:SHA256 of an event, noted earlier where nobody here could change it.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="Verify a file that `audit export` wrote from the first event on.")
    ] = None,
) -> None:
    """Check every event against its hash and the one before. Exit code 3 names the first that does not hold."""
    noted = _checkpoint(checkpoint)
    found = _verify_file(file, noted) if file is not None else _verify_registry(noted)
    if found.broken is not None:
        typer.secho(f"AUDIT_{found.broken}: {found.message}", fg=typer.colors.RED, err=True)
        raise typer.Exit(BROKEN_EXIT_CODE)
    typer.echo(f"{found.checked} events, all as they were written")
    typer.echo(f"checkpoint {found.head.seq}:{found.head.sha256}")


@app.command("export")
def export(
    to: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
    form: Annotated[Form, typer.Option(help="json: one event a line, with hashes. dicom: PS3.15 A.5 XML.")] = Form.JSON,
    after: Annotated[int, typer.Option(help="Only events with a higher number.", min=0)] = 0,
) -> None:
    """Write the trail, oldest event first, one a line."""
    configured = settings()
    source = AuditSource(
        configured.audit_source_id or f"{configured.ae_title}@{socket.gethostname()}", configured.ae_title
    )
    now = datetime.now(UTC)
    with session() as opened:
        wanted = AuditEvent(AuditKind.AUDIT_EXPORTED, operator(), subject=str(to or "standard output"))
        append(opened, wanted, now=now)
    written = 0
    with _one_moment() as opened, _target(to) as target:
        events = read_events(opened, after=after)
        for line in to_lines(events) if form is Form.JSON else (to_xml(event, source) for event in events):
            target.write(line + "\n")
            written += 1
    typer.echo(f"{written} events", err=True)


def _verify_registry(noted: Head | None) -> Verdict:
    with _one_moment() as opened:
        return verify(read_events(opened), read_head(opened), noted)


@contextlib.contextmanager
def _one_moment() -> Iterator[Session]:
    """The trail as it is now; nobody waits until it is read, however long it is."""
    with sessions() as factory, transaction(factory, read_only=True) as opened:
        hold_moment(opened)
        yield opened


def _verify_file(path: Path, noted: Head | None) -> Verdict:
    """A file has no head: its last event stands for it, and a checkpoint tells whether something is missing after."""
    last = Head(0, "0" * 64)
    try:
        with path.open(encoding="utf-8") as lines:
            for event in from_lines(lines):
                last = Head(event.seq, event.sha256)
        with path.open(encoding="utf-8") as lines:
            return verify(from_lines(lines), last, noted)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"AUDIT_FILE_UNREADABLE: expected an exported trail, found: {type(error).__name__}")
    except PermanentError as error:
        return Verdict(0, last, Break.ALTERED, None, error.message)


def _checkpoint(text: str) -> Head | None:
    if not text:
        return None
    seq, _, sha256 = text.partition(":")
    if not seq.isdigit() or len(sha256) != 64:
        fail("CHECKPOINT_INVALID: expected SEQ:SHA256, as `audit verify` and the log's audit_checkpoint say it")
    return Head(int(seq), sha256.lower())


@contextlib.contextmanager
def _target(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as opened:
        yield opened
