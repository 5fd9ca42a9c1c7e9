"""Starting a failed job again, as API and command line do it: what is derived is sent again if it is still there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.instance_store import InstanceStore
from service.registry import jobs
from service.registry.job_states import JobState
from service.registry.results import result_files
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
    # Read outside of a transaction: this may take seconds.
    lost = any(file.removed_at is not None or fault_of(store, file.path, file.sha256) for file in files)
    with transaction(sessions) as session:
        return jobs.retry(session, job_id, now=now, routing=routing, recompute=lost)
