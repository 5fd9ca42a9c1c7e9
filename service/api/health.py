"""Liveness and readiness, for container engines and monitoring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from service.api.dependencies import Parts, PartsOfApp, now
from service.api.problems import ProblemDetail, ProblemError, problems
from service.api.schemas import Alive, Ready
from service.database import transaction
from service.errors import SoftrayError, StoreFullError, TransientError
from service.job_queue import GPU_QUEUE
from service.observability.ages import DOCTOR
from service.registry import jobs
from service.registry.admission_marks import DISK, QUEUE, MarkRow, read_marks
from service.registry.upkeep_tasks import read_tasks

WORKER_SILENT_FOR = timedelta(minutes=15)

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process alive (as Kubernetes names it)", responses=problems(500))
@router.get("/health/live", summary="Is the process alive", responses=problems(500))
def live() -> Alive:
    """Answers as long as the process can answer at all. Restart it when it does not."""
    return Alive()


@router.get("/readyz", summary="May work be sent (as Kubernetes names it)", responses=problems(500, 503))
@router.get("/health/ready", summary="May work be sent", responses=problems(500, 503))
def ready(parts: PartsOfApp) -> Ready:
    """Checks what softray stands on: registry, disk, queue, broker, workers. 503 names each part that is not ready.

    A restart cures none of these, so use it for alarms and load balancers, not for restarting.
    """
    found = {name: _failure(check, parts) for name, check in CHECKS.items()}
    failures = [ProblemDetail(subject=name, message=message) for name, message in found.items() if message]
    if failures:
        names = ", ".join(failure.subject for failure in failures)
        raise ProblemError(503, "NOT_READY", f"not ready: {names}", failures)
    return Ready(checks=list(found))


def _failure(check: Callable[[Parts], None], parts: Parts) -> str | None:
    try:
        check(parts)
    except SoftrayError as error:
        return error.message
    except SQLAlchemyError as error:
        return f"the registry answers, but not as it should: has `softray migrate` run? ({type(error).__name__})"
    return None


def _registry(parts: Parts) -> None:
    # A table of ours is read: a database that answers but was never migrated is not ready.
    with transaction(parts.sessions, read_only=True) as session:
        jobs.queue_depth(session, at_most=1)


def _disk(parts: Parts) -> None:
    """Between the marks the disk is ready or not as the nodes say, who may have refused images since the high one."""
    space = parts.store.space
    trouble = space.above_high_mark()
    if trouble is None and (below_low := space.above_low_mark()) is not None:
        mark = _marks(parts).get(DISK)
        trouble = below_low if mark is not None and mark.refusing else None
    if trouble is not None:
        raise StoreFullError("DISK_LOW", f"images are refused (0xA700): {trouble}")


def _queue(parts: Parts) -> None:
    mark = _marks(parts).get(QUEUE)
    if mark is not None and mark.refusing:
        since = f"{mark.changed_at:%Y-%m-%d %H:%M:%S} UTC"
        raise TransientError("QUEUE_FULL", f"images are refused (0xA700) since {since}: {mark.detail}")


def _marks(parts: Parts) -> dict[str, MarkRow]:
    """None while the registry is away, which is named as its own failure."""
    with suppress(TransientError, SQLAlchemyError), transaction(parts.sessions, read_only=True) as session:
        return read_marks(session)
    return {}


def _broker(parts: Parts) -> None:
    if parts.queue.waiting(GPU_QUEUE) is None:
        raise TransientError("BROKER_UNAVAILABLE", "the broker does not answer; images are accepted but wait")


def _workers(parts: Parts) -> None:
    """A network worker goes on with some walk of the upkeep every minute; an installation that never had one is new."""
    passed: list[datetime] = []
    with suppress(TransientError, SQLAlchemyError), transaction(parts.sessions, read_only=True) as session:
        tasks = [task for task in read_tasks(session) if task.name != DOCTOR]
        passed = [task.passed_at for task in tasks if task.passed_at is not None]
    if passed and now() - max(passed) > WORKER_SILENT_FOR:
        since = f"{max(passed):%Y-%m-%d %H:%M:%S} UTC"
        raise TransientError(
            "WORKERS_SILENT", f"no network worker was seen since {since}; images are accepted but nothing is delivered"
        )


CHECKS: dict[str, Callable[[Parts], None]] = {
    "registry": _registry,
    "disk": _disk,
    "queue": _queue,
    "broker": _broker,
    "workers": _workers,
}
