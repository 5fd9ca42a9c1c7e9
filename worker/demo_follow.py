"""Watching one image on its way through the registry, stage by stage."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory
from service.errors import PermanentError, TransientError
from service.registry import queries
from service.registry.job_states import JobState
from service.settings import Settings

POLL_S = 0.1


@dataclass(frozen=True)
class Followed:
    """Where the image ended."""

    job_id: str
    derived_sop_instance_uid: str


def follow(settings: Settings, radiograph: Path, console: Console) -> Followed:
    """Follow the instance in file `radiograph` and print each stage as it happens; return when it is delivered.

    Raises PermanentError when the image was refused or its job failed, with the reason code of the registry.
    """
    engine = make_engine(settings.effective_database_url)
    try:
        return _follow(make_session_factory(engine), settings.inference_deadline_s, radiograph, console)
    finally:
        engine.dispose()


def _follow(sessions: sessionmaker[Session], deadline_s: float, radiograph: Path, console: Console) -> Followed:
    started = time.monotonic()
    instance = _received(sessions, dcmread(radiograph, stop_before_pixels=True))
    if instance is None:
        raise PermanentError("NOT_RECEIVED", "the node answered Success but the registry has no such instance")
    console.print("  received    kept on disk and in the registry before the node answered")
    if instance.job is None:
        raise PermanentError(instance.reason_code or "NOT_ELIGIBLE", instance.reason_detail or "refused by the gate")
    columns = (
        TextColumn("  {task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("queued", total=None, note="")
        shown: set[JobState] = set()
        shown_step = 0
        while time.monotonic() - started < deadline_s + 120:
            with sessions() as session:
                detail = queries.job_detail(session, instance.job.job_id)
            if detail is None:
                raise PermanentError("JOB_GONE", f"the registry lost job {instance.job.job_id}")
            job = detail.summary
            if job.step > shown_step and (job.step == job.total_steps or not console.is_terminal):
                console.print(f"  sampling    step {job.step}/{job.total_steps}")
                shown_step = job.step
            if job.state not in shown:
                shown.add(job.state)
                _announce(job.state, time.monotonic() - started, console)
            if job.state is JobState.RUNNING:
                note = f"step {job.step}/{job.total_steps}" if job.total_steps else "starting"
                progress.update(
                    bar, description="sampling", completed=job.step, total=job.total_steps or None, note=note
                )
            if job.state in {JobState.FAILED, JobState.CANCELLED}:
                raise PermanentError(job.reason_code or "FAILED", job.reason_detail or "the job failed")
            if job.state is JobState.REFUSED:
                raise PermanentError(job.reason_code or "REFUSED", job.reason_detail or "the picture is not for us")
            if job.state is JobState.DELIVERED and detail.soft_tissue is not None:
                return Followed(job.job_id, detail.soft_tissue.sop_instance_uid)
            time.sleep(POLL_S)
    raise TransientError(
        "TOO_SLOW", f"expected a delivered result, found none after {time.monotonic() - started:.0f} s"
    )


def _received(sessions: sessionmaker[Session], sent: Dataset) -> queries.InstanceRow | None:
    with sessions() as session:
        study = queries.study_detail(session, str(sent.StudyInstanceUID))
    rows = study.instances if study is not None else ()
    return next((row for row in rows if row.sop_instance_uid == sent.SOPInstanceUID), None)


def _announce(state: JobState, seconds: float, console: Console) -> None:
    sentences = {
        JobState.QUEUED: "queued      waiting for the worker",
        JobState.RUNNING: "running     the worker has it",
        JobState.DERIVED: "derived     soft-tissue instance stored",
        JobState.DELIVERED: "delivered   the PACS answered for it",
    }
    if state in sentences:
        console.print(f"  {sentences[state]}  [dim]{seconds:.1f} s[/dim]")
