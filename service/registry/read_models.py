"""What `queries` returns: frozen rows for the API and the command line, free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.priorities import Priority
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.result_kinds import ResultKind


@dataclass(frozen=True)
class StudySummary:
    """A Study with the number of its instances and of its jobs in each state that occurs."""

    study_instance_uid: str
    first_received_at: datetime
    last_received_at: datetime
    instance_count: int
    jobs_by_state: Mapping[JobState, int]


@dataclass(frozen=True)
class JobSummary:
    """A job as one line of a list."""

    job_id: str
    purpose: JobPurpose
    state: JobState
    reason_code: str | None
    reason_detail: str | None
    attempts: int
    step: int
    total_steps: int
    model_name: str | None
    device: str | None
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    calling_ae_title: str
    created_at: datetime
    updated_at: datetime
    priority: Priority
    late_at: datetime | None


@dataclass(frozen=True)
class InstanceRow:
    """A received instance; `job` is None when it was not eligible, and `reason_code` says why."""

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    modality: str | None
    calling_ae_title: str
    received_at: datetime
    size_bytes: int
    reason_code: str | None
    reason_detail: str | None
    job: JobSummary | None
    row_id: int


@dataclass(frozen=True)
class StudyDetail:
    """A Study with all its instances, oldest first."""

    summary: StudySummary
    instances: tuple[InstanceRow, ...]


@dataclass(frozen=True)
class EventRow:
    """One line of a job's history."""

    at: datetime
    event: str
    from_state: JobState | None
    to_state: JobState | None
    detail: str | None


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery with the node it goes to."""

    delivery_id: int
    kind: ResultKind
    sop_instance_uid: str
    remote_node: str
    state: DeliveryState
    attempts: int
    not_before: datetime | None
    dimse_status: int | None
    reason_code: str | None
    reason_detail: str | None
    updated_at: datetime


@dataclass(frozen=True)
class ResultRow:
    """A stored derived object; `path` is relative to the instance store."""

    kind: ResultKind
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    path: str
    sha256: str
    created_at: datetime


@dataclass(frozen=True)
class JobDetail:
    """Everything known about one job; paths are relative to the instance store."""

    summary: JobSummary
    not_before: datetime | None
    lease_owner: str | None
    lease_expires_at: datetime | None
    model_sha256: str | None
    source_path: str
    source_sha256: str
    results: tuple[ResultRow, ...]
    preview_source_path: str | None
    preview_soft_path: str | None
    preview_bone_path: str | None
    previews_removed_at: datetime | None
    events: tuple[EventRow, ...]
    deliveries: tuple[DeliveryRow, ...]

    @property
    def soft_tissue(self) -> ResultRow | None:
        """The companion image, in the form that was made first."""
        return next((result for result in self.results if result.kind is ResultKind.SOFT_TISSUE), None)


@dataclass(frozen=True)
class RejectionRow:
    """An object that was refused or put into quarantine."""

    received_at: datetime
    reason_code: str
    detail: str
    calling_ae_title: str
    sop_instance_uid: str | None
    path: str | None
    row_id: int
