"""`softray jobs`: what happened to every image."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.connection import session
from service.cli.job_orders import cancel_job, reprioritise_job, retry_failed, retry_job
from service.cli.launch import fail
from service.priorities import Priority
from service.registry import queries
from service.registry.job_search import JobFilter
from service.registry.job_states import JobState

WIDEST = 400
"""Characters of a line, beyond which a reason in words goes on in the next."""


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("jobs")(jobs)


class Wanted(StrEnum):
    """A priority as it is typed."""

    STAT = "stat"
    ROUTINE = "routine"
    PRIOR = "prior"


def jobs(
    job_id: Annotated[str, typer.Argument(help="A job: show its history. Empty: list jobs.")] = "",
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only failed jobs, with the reason in words.")] = False,
    reason: Annotated[str, typer.Option(help="Only jobs with this reason, or a failed delivery with it.")] = "",
    node: Annotated[str, typer.Option(help="With --failed --retry: only what failed at this remote node.")] = "",
    retry: Annotated[
        bool, typer.Option("--retry", help="Try the given job, or with --failed all those, again.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the given job.")] = False,
    priority: Annotated[Wanted | None, typer.Option(help="Give the given job another priority.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many jobs, newest first.", min=1)] = 50,
) -> None:
    """List the jobs, or show one with its whole history; try failed ones again, cancel one, give one a priority."""
    if sum((retry, cancel, priority is not None)) > 1:
        fail("expected one of --retry, --cancel and --priority, found several")
    if (cancel or priority is not None) and not job_id:
        fail("--cancel and --priority need the id of a job: softray jobs JOB_ID --cancel")
    if retry and not job_id and not failed:
        fail("--retry needs the id of a job, or --failed: softray jobs JOB_ID --retry")
    if node and not (failed and retry):
        fail("--node goes with --failed --retry")
    if retry and failed and not job_id:
        retry_failed(reason or None, node or None, limit)
    elif retry:
        retry_job(job_id)
    elif cancel:
        cancel_job(job_id)
    elif priority is not None:
        reprioritise_job(job_id, Priority[priority.name])
    elif job_id:
        _show(job_id)
    else:
        _list(JobState.FAILED if failed else state, reason or None, limit)


def _list(state: JobState | None, reason: str | None, limit: int) -> None:
    with session() as opened:
        rows = queries.list_jobs(opened, JobFilter(state=state, reason=reason), limit=limit)
        counts = queries.counts_by_state(opened)
    if not any(counts.values()):
        typer.echo("no jobs yet")
        return
    typer.echo("  ".join(f"{name}: {count}" for name, count in counts.items()))
    # Whole ids, states and codes, however narrow the terminal or pipe: they are what the next command needs.
    table = Table("job", "state", "priority", "reason", "step", "updated (UTC)", box=None, pad_edge=False)
    in_words = state is JobState.FAILED
    for row in rows:
        table.add_row(
            row.job_id,
            str(row.state),
            f"{row.priority}{' late' if row.late_at else ''}",
            f"{row.reason_code}: {row.reason_detail}" if in_words else row.reason_code or "",
            f"{row.attempts} attempts" if in_words else f"{row.step}/{row.total_steps}" if row.total_steps else "",
            f"{row.updated_at:%m-%d %H:%M:%S}",
        )
    Console(width=WIDEST).print(table)


def _show(job_id: str) -> None:
    with session() as opened:
        detail = queries.job_detail(opened, job_id)
    if detail is None:
        fail(f"expected the id of a job, found none with id {job_id}")
    summary = detail.summary
    facts = {
        "state": f"{summary.state}  {summary.reason_code or ''} {summary.reason_detail or ''}".rstrip(),
        "urgency": f"{summary.priority}{', late' if summary.late_at else ''}",
        "source": summary.sop_instance_uid,
        "model": f"{summary.model_name} on {summary.device}" if summary.model_name else None,
    }
    for name, fact in facts.items():
        if fact:
            typer.echo(f"{name:<8}{fact}")
    for result in detail.results:
        typer.echo(f"made    {result.kind} {result.sop_instance_uid}")
    for delivery in detail.deliveries:
        reason = f"  {delivery.reason_code}: {delivery.reason_detail}" if delivery.reason_code else ""
        typer.echo(f"sent    {delivery.kind} to {delivery.remote_node}: {delivery.state}{reason}")
    typer.echo("history, UTC")
    for event in detail.events:
        change = f"{event.from_state or ''} -> {event.to_state}" if event.to_state else ""
        typer.echo(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.event:<20} {change:<22} {event.detail or ''}".rstrip())
