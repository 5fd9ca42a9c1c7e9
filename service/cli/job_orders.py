"""What `softray jobs` orders: try again, cancel, another priority. What cannot be done ends the program."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from service.cli.connection import session, sessions
from service.cli.launch import fail, settings
from service.deadlines import deadlines_of
from service.errors import SoftrayError
from service.job_queue import JobQueue, make_celery
from service.priorities import Priority
from service.registry import cancellation, dead_letters, delivery_queue, urgency
from service.registry.job_states import JobState
from service.retrying import retry_failed as retry_failed_jobs
from service.retrying import retry_job as start_again
from service.site_file import load_site_file
from service.store_settings import open_store


def retry_job(job_id: str) -> None:
    """Start a failed or cancelled job again."""
    now = datetime.now(UTC)
    try:
        routing = load_site_file(settings()).routing()
        with sessions() as factory:
            state = start_again(factory, open_store(settings()), job_id, now=now, routing=routing)
        with session() as opened:
            waiting = delivery_queue.pending_deliveries(opened, job_id, now=now)
    except SoftrayError as error:
        fail(str(error))
    _announce([job_id] if state is JobState.QUEUED else [], waiting)
    typer.echo(f"job {job_id} is {state} again")


def retry_failed(reason: str | None, node: str | None, limit: int) -> None:
    """Start the failed jobs again that have this reason and failed at this node, the oldest `limit`."""
    now = datetime.now(UTC)
    waiting: list[int] = []
    try:
        routing = load_site_file(settings()).routing()
        wanted = dead_letters.DeadLetterFilter(reason, node)
        with sessions() as factory:
            done = retry_failed_jobs(factory, open_store(settings()), wanted, limit=limit, now=now, routing=routing)
        with session() as opened:
            for job_id, _ in done.retried:
                waiting += delivery_queue.pending_deliveries(opened, job_id, now=now)
    except SoftrayError as error:
        fail(str(error))
    _announce([job_id for job_id, state in done.retried if state is JobState.QUEUED], waiting)
    typer.echo(f"{len(done.retried)} jobs started again, {done.left} failed ones left")
    for code, number in done.refused.items():
        typer.echo(f"{number} could not be: {code}")


def cancel_job(job_id: str) -> None:
    """Cancel a job, and say what had been sent of it."""
    try:
        with session() as opened:
            left = cancellation.cancel(opened, job_id, now=datetime.now(UTC))
    except SoftrayError as error:
        fail(str(error))
    typer.echo(f"job {job_id} is cancelled; {left.withdrawn} deliveries withdrawn")
    for what in left.sent:
        typer.echo(f"sent already and not called back: {what}")
    for what in left.under_way:
        typer.echo(f"on its way and may arrive: {what}")


def reprioritise_job(job_id: str, priority: Priority) -> None:
    """Give a job another priority."""
    try:
        with session() as opened:
            before = urgency.reprioritise(
                opened, job_id, priority, now=datetime.now(UTC), deadlines=deadlines_of(settings())
            )
    except SoftrayError as error:
        fail(str(error))
    typer.echo(f"job {job_id} is {priority}, was {before}")


def _announce(job_ids: Iterable[str], delivery_ids: Iterable[int]) -> None:
    configured = settings()
    queue = JobQueue(make_celery(configured.effective_broker_url, configured.data_dir))
    for job_id in job_ids:
        queue.announce_inference(job_id)
    for delivery_id in delivery_ids:
        queue.announce_delivery(delivery_id)
    queue.close()
