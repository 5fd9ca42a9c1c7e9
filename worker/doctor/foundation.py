"""Settings, registry, clock and broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import func, select

from service.database import require_current_schema, transaction
from service.findings import Finding, ok, problem, unchecked
from service.job_queue import GPU_QUEUE, NETWORK_QUEUE, JobQueue, make_celery
from service.registry import upkeep_tasks
from service.site_file import load_site_file
from worker.doctor.examination import Check, Patient

MOST_SKEW_S = 5.0


def _settings(patient: Patient) -> Iterator[Finding]:
    load_site_file(patient.settings)
    named = patient.settings.site_file
    yield ok("settings", "valid" if named is None else f"valid, with the site file {named}")


def _registry(patient: Patient) -> Iterator[Finding]:
    require_current_schema(patient.sessions.kw["bind"])
    with transaction(patient.sessions) as session:  # a write, committed
        claim = upkeep_tasks.claim_task(session, "doctor", owner="doctor", lease_s=0.0, now=patient.now)
        if claim is not None:
            upkeep_tasks.pass_ended(session, claim, None, now=patient.now)
    yield ok("registry", "current schema, can be written")


def _clock(patient: Patient) -> Iterator[Finding]:
    engine = patient.sessions.kw["bind"]
    if engine.dialect.name == "sqlite":
        yield ok("clock", "the registry is on this machine")
        return
    with transaction(patient.sessions, read_only=True) as session:
        theirs = session.scalar(select(func.clock_timestamp()))
    if not isinstance(theirs, datetime):
        yield unchecked("clock", "CLOCK_UNKNOWN", "the database did not tell its time")
        return
    skew = (datetime.now(UTC) - theirs).total_seconds()
    if abs(skew) <= MOST_SKEW_S:
        yield ok("clock", f"{abs(skew):.1f} s from the database's")
    else:
        yield problem(
            "clock",
            "CLOCK_SKEW",
            f"{skew:+.0f} s from the database's",
            means="machines that disagree about the time take each other's jobs too early or too late",
            do="start chrony or ntpd on both",
        )


def _broker(patient: Patient) -> Iterator[Finding]:
    queue = JobQueue(make_celery(patient.settings.effective_broker_url, patient.settings.data_dir))
    try:
        waiting = {name: queue.waiting(name) for name in (GPU_QUEUE, NETWORK_QUEUE)}
    finally:
        queue.close()
    if None in waiting.values():
        yield problem(
            "broker",
            "BROKER_UNAVAILABLE",
            "does not answer",
            means="images are accepted and wait; nothing is lost",
            do="start the broker, or correct SOFTRAY_BROKER_URL",
        )
    else:
        yield ok("broker", ", ".join(f"{number} messages for {name}" for name, number in waiting.items()))


CHECKS: dict[str, Check] = {"settings": _settings, "registry": _registry, "clock": _clock, "broker": _broker}
