"""`softray jobs`: what happened to every image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from service.cli.connection import session, sessions
from service.cli.launch import fail, settings
from service.errors import SoftrayError
from service.job_queue import JobQueue, make_celery
from service.registry import delivery_queue, queries
from service.registry.job_states import JobState
from service.retrying import retry_job
from service.site_file import load_site_file
from service.store_settings import open_store


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("jobs")(jobs)


def jobs(
    job_id: Annotated[str, typer.Argument(help="A job: show its history. Empty: list jobs.")] = "",
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try the given failed job again.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many jobs, newest first.", min=1)] = 50,
) -> None:
    """List the jobs, or show one with its whole history, or try a failed one again."""
    if retry and not job_id:
        fail("--retry needs the id of a job: softray jobs JOB_ID --retry")
    if retry:
        _retry(job_id)
    elif job_id:
        _show(job_id)
    else:
        _list(state, limit)


def _list(state: JobState | None, limit: int) -> None:
    with session() as opened:
        rows = queries.list_jobs(opened, state=state, limit=limit, offset=0)
        counts = queries.counts_by_state(opened)
    if not any(counts.values()):
        typer.echo("no jobs yet")
        return
    typer.echo("  ".join(f"{name}: {count}" for name, count in counts.items()))
    # The whole id, however narrow the terminal: it is what the next command needs.
    table = Table(Column("job", no_wrap=True, min_width=36), "state", "reason", "step", "updated (UTC)")
    for row in rows:
        table.add_row(
            row.job_id,
            str(row.state),
            row.reason_code or "",
            f"{row.step}/{row.total_steps}" if row.total_steps else "",
            f"{row.updated_at:%m-%d %H:%M:%S}",
        )
    Console().print(table)


def _show(job_id: str) -> None:
    with session() as opened:
        detail = queries.job_detail(opened, job_id)
    if detail is None:
        fail(f"expected the id of a job, found none with id {job_id}")
    summary = detail.summary
    facts = {
        "state": f"{summary.state}  {summary.reason_code or ''} {summary.reason_detail or ''}".rstrip(),
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


def _retry(job_id: str) -> None:
    configured = settings()
    now = datetime.now(UTC)
    waiting: list[int] = []
    try:
        routing = load_site_file(configured).routing()
        with sessions() as factory:
            state = retry_job(factory, open_store(configured), job_id, now=now, routing=routing)
        if state is JobState.DERIVED:
            with session() as opened:
                waiting = delivery_queue.pending_deliveries(opened, job_id, now=now)
    except SoftrayError as error:
        fail(str(error))
    queue = JobQueue(make_celery(configured.effective_broker_url, configured.data_dir))
    if state is JobState.QUEUED:
        queue.announce_inference(job_id)
    for delivery_id in waiting:
        queue.announce_delivery(delivery_id)
    queue.close()
    typer.echo(f"job {job_id} is {state} again")
