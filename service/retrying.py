"""Starting failed jobs again, as API and command line do it: what is derived is sent again if it is still there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.instance_store import InstanceStore
from service.registry.dead_letters import DeadLetterFilter, RetriedMany, failed_jobs, retry_many, retry_one
from service.registry.job_states import JobState
from service.registry.results import ResultFile, result_files
from service.routing import Routing
from service.store_upkeep import fault_of


def retry_job(
    sessions: sessionmaker[Session], store: InstanceStore, job_id: str, *, now: datetime, routing: Routing
) -> JobState:
    """Start `job_id` again; the state that it is in then.

    When a derived object is missing, altered or removed under retention, all of them are computed again, under the
    same UIDs. Raises NotRetryableError, or TransientError when the store or the registry cannot be read.
    """
    with transaction(sessions, read_only=True) as session:
        files = result_files(session, job_id)
    lost = _lost(store, files)
    with transaction(sessions) as session:
        return retry_one(session, job_id, now=now, routing=routing, recompute=lost)


def retry_failed(
    sessions: sessionmaker[Session],
    store: InstanceStore,
    wanted: DeadLetterFilter,
    *,
    limit: int,
    now: datetime,
    routing: Routing,
) -> RetriedMany:
    """Start at most `limit` failed jobs again, each as `retry_job` would; one that cannot be is counted and left."""
    with transaction(sessions, read_only=True) as session:
        files = {job_id: result_files(session, job_id) for job_id in failed_jobs(session, wanted, limit=limit)}
    lost = {job_id for job_id, of_job in files.items() if _lost(store, of_job)}
    with transaction(sessions) as session:
        return retry_many(session, wanted, limit=limit, now=now, routing=routing, recompute=lost)


def _lost(store: InstanceStore, files: Sequence[ResultFile]) -> bool:
    """Whether one of them is not to be had; outside of a transaction, since reading them may take seconds."""
    return any(file.removed_at is not None or fault_of(store, file.path, file.sha256) for file in files)
