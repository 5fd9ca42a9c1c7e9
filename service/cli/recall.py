"""`softray recall`: take results back. One person proposes, another approves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from service import recalling
from service.cli.connection import session
from service.cli.launch import fail
from service.cli.operator import operator
from service.errors import SoftrayError
from service.registry import recall_search, recalls
from service.registry.recall_search import AtNode, RecallCriteria
from service.registry.recall_states import RecallItemState, RecallReason

recall_app = typer.Typer(help="Take results back: plan (a dry run), propose, approve (another person), status.")

Model = Annotated[str | None, typer.Option("--model", help="SHA-256 of the weights with their configuration.")]
Version = Annotated[str | None, typer.Option("--code-version", help="softray's version, as in the receipts.")]
Source = Annotated[str | None, typer.Option("--source", help="Calling AE title of the sender.")]
From = Annotated[datetime | None, typer.Option("--from", help="The image came at or after this time (UTC).")]
Until = Annotated[datetime | None, typer.Option("--until", help="The image came before this time (UTC).")]
RecallId = Annotated[str, typer.Argument(help="The recall's id.")]


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(recall_app, name="recall", no_args_is_help=True)


@recall_app.command("plan")
def plan(
    model: Model = None,
    code_version: Version = None,
    source: Source = None,
    received_from: From = None,
    received_until: Until = None,
    limit: Annotated[int, typer.Option(help="Show at most so many jobs, newest first.", min=1)] = 20,
) -> None:
    """Show which results a recall would take back; nothing is changed."""
    criteria = _criteria(model, code_version, source, received_from, received_until)
    try:
        with session() as opened:
            found = recall_search.plan(opened, criteria)
            listed = recall_search.list_candidates(opened, criteria, limit=limit)
    except SoftrayError as error:
        fail(str(error))
    typer.echo(f"{found.jobs} jobs of {found.studies} studies")
    _echo_nodes(found.nodes)
    for row in listed:
        typer.echo(
            f"{row.job_id}  {row.received_at:%Y-%m-%d %H:%M}  {row.state}  {row.source}  {row.study_instance_uid}"
        )
    if len(listed) < found.jobs:
        typer.echo(f"… and {found.jobs - len(listed)} more (--limit)")


@recall_app.command("propose")
def propose(
    reason: Annotated[RecallReason, typer.Option(help="PATIENT_SAFETY (113037) or QUALITY (113001).")],
    words: Annotated[str, typer.Option(help="Why, for the readers of the notes; nothing about a patient.")],
    model: Model = None,
    code_version: Version = None,
    source: Source = None,
    received_from: From = None,
    received_until: Until = None,
) -> None:
    """Propose to take back all that fits at this moment. Nothing happens before another person approves."""
    if not words.strip() or len(words) > recalls.MOST_WORDS:
        fail(f"--words: expected 1 to {recalls.MOST_WORDS} characters, found {len(words)}")
    criteria = _criteria(model, code_version, source, received_from, received_until)
    try:
        with session() as opened:
            recall_id = recalling.propose(opened, criteria, reason, words, by=operator(), now=datetime.now(UTC))
    except SoftrayError as error:
        fail(str(error))
    typer.echo(recall_id)
    _show(recall_id)
    typer.echo(f"another person approves it: softray recall approve {recall_id}")


@recall_app.command("approve")
def approve(recall_id: RecallId) -> None:
    """Approve what somebody else has proposed; the nodes are told then. It cannot be undone."""
    try:
        with session() as opened:
            recalling.approve(opened, recall_id, by=operator(), now=datetime.now(UTC))
    except SoftrayError as error:
        fail(str(error))
    _show(recall_id)


@recall_app.command("withdraw")
def withdraw(recall_id: RecallId) -> None:
    """Take a proposal back that nobody has approved."""
    try:
        with session() as opened:
            recalling.withdraw(opened, recall_id, by=operator(), now=datetime.now(UTC))
    except SoftrayError as error:
        fail(str(error))
    _show(recall_id)


@recall_app.command("status")
def status(
    recall_id: Annotated[str, typer.Argument(help="A recall: show it with its jobs. Empty: list recalls.")] = "",
    state: Annotated[RecallItemState | None, typer.Option(help="Only jobs that stand there.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many lines.", min=1)] = 50,
) -> None:
    """List the recalls, or show one: who, why, how far, and each job with the note of its study."""
    if not recall_id:
        with session() as opened:
            for row in recalls.list_recalls(opened, limit=limit):
                counts = sum(row.jobs_by_state.values())
                typer.echo(f"{row.recall_id}  {row.state}  {row.reason}  {counts} jobs  {row.proposed_by}")
        return
    _show(recall_id)
    with session() as opened:
        jobs = recalls.list_recall_jobs(opened, recall_id, state=state, limit=limit)
    for job in jobs:
        note = f"note {job.note_job_id} {job.note_state}" if job.note_job_id else ""
        typer.echo(f"{job.job_id}  {job.state}  {job.study_instance_uid}  {note}".rstrip())


def _show(recall_id: str) -> None:
    with session() as opened:
        row = recalls.find_recall(opened, recall_id)
        nodes = recalls.recalled_at_nodes(opened, recall_id)
    if row is None:
        fail("RECALL_UNKNOWN: no such recall")
    typer.echo(f"{row.state}: {row.reason}, {row.words}")
    asked = (f"{name} {value}" for name, value in asdict(row.criteria).items() if value is not None)
    typer.echo(f"for {', '.join(asked)}")
    typer.echo(f"proposed by {row.proposed_by} {row.proposed_at:%Y-%m-%d %H:%M} UTC")
    if row.approved_at is not None:
        typer.echo(f"approved by {row.approved_by} {row.approved_at:%Y-%m-%d %H:%M} UTC")
    for state, number in sorted(row.jobs_by_state.items()):
        typer.echo(f"{number} jobs {state}")
    _echo_nodes(nodes)


def _echo_nodes(nodes: Iterable[AtNode]) -> None:
    for node in nodes:
        gone = " (removed: delete them there by hand)" if node.removed else ""
        typer.echo(f"{node.node}: {node.there} results there, {node.waiting} waiting{gone}")


def _criteria(
    model: str | None, version: str | None, source: str | None, since: datetime | None, until: datetime | None
) -> RecallCriteria:
    times = (time and time.replace(tzinfo=UTC) for time in (since, until))
    return RecallCriteria(model, version, source, *times)
