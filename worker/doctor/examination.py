"""The examination: what is looked at, in which order, and what is said in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory
from service.errors import PermanentError, SoftrayError
from service.findings import Finding, exit_code, problem, unchecked
from service.instance_store import InstanceStore
from service.settings import Settings
from service.store_settings import open_store


@dataclass(frozen=True)
class Patient:
    """The installation under examination; with `repair`, what is safe is put right."""

    settings: Settings
    sessions: sessionmaker[Session]
    store: InstanceStore
    repair: bool
    now: datetime


Check = Callable[[Patient], Iterable[Finding]]


def run_doctor(settings: Settings, *, as_json: bool = False, repair: bool = False) -> int:
    """Print every finding; the exit code: 0 all in order, 1 something is not, 2 something could not be looked at."""
    findings: list[Finding] = []
    for finding in examine(settings, repair=repair):
        findings.append(finding)
        if not as_json:
            typer.echo(finding.line())
    code = exit_code(findings)
    if as_json:
        typer.echo(json.dumps({"exit_code": code, "findings": [one.record() for one in findings]}, indent=2))
    return code


def examine(settings: Settings, *, repair: bool = False) -> Iterator[Finding]:
    """Every finding, as it is made; nothing is raised."""
    from worker.doctor import foundation, storage, surroundings, work  # they need what stands above

    if (missing := _missing_registry(settings)) is not None:
        yield missing
        return
    try:
        store = open_store(settings)
        engine = make_engine(settings.effective_database_url)
    except (OSError, SoftrayError) as error:
        yield problem(
            "data folder",
            "DATA_DIR_UNUSABLE",
            f"{settings.data_dir}: {error}",
            means="softray can keep nothing",
            do="give the account that runs softray this folder, or set SOFTRAY_DATA_DIR and SOFTRAY_DATABASE_URL",
        )
        return
    patient = Patient(settings, make_session_factory(engine), store, repair, datetime.now(UTC))
    checks: dict[str, Check] = {
        **foundation.CHECKS,
        **storage.CHECKS,
        **work.CHECKS,
        **surroundings.CHECKS,
    }
    try:
        for subject, check in checks.items():
            yield from _guarded(subject, check, patient)
    finally:
        engine.dispose()


def _missing_registry(settings: Settings) -> Finding | None:
    """A SQLite file that is not there: opening it would leave an empty one, and a data folder, where none belong."""
    try:
        url = make_url(settings.effective_database_url)
    except ArgumentError:
        return None  # the next to read it says so
    if url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists():
        return None
    return problem(
        "registry",
        "REGISTRY_MISSING",
        f"expected the registry at {url.database}, found no file; nothing else was looked at",
        means="softray has never been started here, or its settings name another folder than the one in use",
        do="softray up, which makes one; or correct SOFTRAY_DATA_DIR, or restore the registry from its backup",
    )


def _guarded(subject: str, check: Check, patient: Patient) -> Iterator[Finding]:
    try:
        yield from check(patient)
    except PermanentError as error:
        yield problem(subject, error.code, error.message, means="this part cannot work", do="what the sentence says")
    except SoftrayError as error:
        yield unchecked(subject, error.code, error.message)
    except SQLAlchemyError as error:
        yield unchecked(subject, "REGISTRY_NOT_READABLE", type(error).__name__, do="softray migrate")
    except Exception as error:  # one check that breaks must not hide the others
        yield unchecked(subject, "CHECK_FAILED", f"{type(error).__module__}.{type(error).__qualname__}")
