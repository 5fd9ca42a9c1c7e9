"""`softray jobs`: what happened to every image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.connection import session
from service.cli.launch import fail, settings
from service.errors import SoftrayError
from service.job_queue import JobQueue, make_celery
from service.registry import deliveries, queries
from service.registry import jobs as job_registry
from service.registry.job_states import JobState


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
    table = Table("job", "state", "reason", "step", "updated", "source SOP Instance UID")
    for row in rows:
        table.add_row(
            row.job_id,
            str(row.state),
            row.reason_code or "",
            f"{row.step}/{row.total_steps}" if row.total_steps else "",
            f"{row.updated_at:%Y-%m-%d %H:%M:%S}",
            row.sop_instance_uid,
        )
    Console().print(table)


def _show(job_id: str) -> None:
    with session() as opened:
        detail = queries.job_detail(opened, job_id)
    if detail is None:
        fail(f"expected the id of a job, found none with id {job_id}")
    table = Table("time (UTC)", "event", "from", "to", "detail")
    for event in detail.events:
        table.add_row(
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.event,
            event.from_state or "",
            event.to_state or "",
            event.detail or "",
        )
    Console().print(table)


def _retry(job_id: str) -> None:
    configured = settings()
    now = datetime.now(UTC)
    waiting: list[int] = []
    try:
        with session() as opened:
            state = job_registry.retry(opened, job_id, now=now)
            if state is JobState.DERIVED:
                waiting = deliveries.pending_deliveries(opened, job_id, now=now)
    except SoftrayError as error:
        fail(str(error))
    queue = JobQueue(make_celery(configured.effective_broker_url, configured.data_dir))
    if state is JobState.QUEUED:
        queue.announce_inference(job_id)
    for delivery_id in waiting:
        queue.announce_delivery(delivery_id)
    queue.close()
    typer.echo(f"job {job_id} is {state} again")
