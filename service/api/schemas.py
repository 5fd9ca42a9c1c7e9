"""The answers of the API (Pydantic). Times are UTC, ISO 8601 with zone; UIDs are DICOM's dotted strings.

They are read from the registry's read models by attribute name, so a field here has the name it has there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.priorities import Priority
from service.registry import queries
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.result_kinds import ResultKind
from service.registry.retries import RETRYABLE

PreviewName = Literal["source", "soft-tissue", "bone"]


class Answer(BaseModel):
    """Read from a read model, never changed afterwards."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Alive(Answer):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(Answer):
    """Everything softray stands on answers."""

    status: Literal["ready"] = "ready"
    checks: list[str] = Field(
        description="What was checked.", examples=[["registry", "disk", "queue", "broker", "workers"]]
    )


class Version(Answer):
    """The running release."""

    name: str
    version: str = Field(examples=["0.1.0"])
    python: str = Field(examples=["3.11.2"])


class StudyState(StrEnum):
    """The state of a study: that of its images taken together."""

    FAILED = "FAILED"
    RUNNING = "RUNNING"
    QUEUED = "QUEUED"
    DERIVED = "DERIVED"
    DELIVERED = "DELIVERED"
    COMMITTED = "COMMITTED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"
    NOT_PROCESSED = "NOT_PROCESSED"

    @classmethod
    def of(cls, jobs_by_state: Mapping[JobState, int]) -> StudyState:
        """The state that most needs attention; NOT_PROCESSED when no image was accepted."""
        occurring = {state.value for state, count in jobs_by_state.items() if count}
        return next((state for state in cls if state.value in occurring), cls.NOT_PROCESSED)


class Study(Answer):
    """A Study of which at least one instance was received."""

    study_instance_uid: str = Field(description="(0020,000D).")
    state: StudyState = Field(description="Of its images' states the one that most needs attention.")
    reason_code: str | None = Field(description="Why, when it failed or was not processed.")
    reason_detail: str | None = Field(description="The same in words.")
    first_received_at: datetime
    last_received_at: datetime
    instance_count: int = Field(description="Images received.")
    jobs_by_state: dict[JobState, int] = Field(description="Images accepted, by the state of their job.")


class JobSummary(Answer):
    """One accepted image on its way."""

    job_id: str
    purpose: JobPurpose = Field(
        description="SUPPRESS: the companion image. REFUSAL_NOTICE: why there is none. "
        "RETRACTION: the note that takes results back."
    )
    state: JobState
    priority: Priority = Field(description="STAT goes before ROUTINE, ROUTINE before PRIOR.")
    late_at: datetime | None = Field(description="When it was noted that its deadline had passed; null: it had not.")
    reason_code: str | None = Field(description="Why it waits, was refused, failed or was cancelled.")
    reason_detail: str | None = Field(description="The same in words.")
    attempts: int = Field(description="Times a worker took it.")
    step: int = Field(description="Sampling steps done.")
    total_steps: int = Field(description="Sampling steps to do; 0 before it is known.")
    study_instance_uid: str
    series_instance_uid: str = Field(description="Series Instance UID of the source image.")
    sop_instance_uid: str = Field(description="SOP Instance UID of the source image.")
    calling_ae_title: str = Field(description="Who sent it.")
    model_name: str | None
    device: str | None = Field(description="Where the network ran.")
    created_at: datetime
    updated_at: datetime


class Instance(Answer):
    """One received image."""

    sop_instance_uid: str = Field(description="(0008,0018).")
    series_instance_uid: str = Field(description="(0020,000E).")
    sop_class_uid: str = Field(description="(0008,0016).")
    study_instance_uid: str = Field(description="(0020,000D).")
    modality: str | None = Field(description="(0008,0060).")
    calling_ae_title: str = Field(description="Who sent it.")
    received_at: datetime
    size_bytes: int
    reason_code: str | None = Field(description="Why it was not accepted for processing.")
    reason_detail: str | None = Field(description="The same in words.")
    job: JobSummary | None = Field(description="Its job, when it was accepted.")


class StudyDetail(Study):
    """A Study with its images."""

    instances: list[Instance]


class Event(Answer):
    """One line of a job's history."""

    at: datetime
    event: str
    from_state: JobState | None
    to_state: JobState | None
    detail: str | None


class Result(Answer):
    """A stored derived object."""

    kind: ResultKind
    sop_class_uid: str = Field(description="(0008,0016).")
    sop_instance_uid: str = Field(description="(0008,0018).")
    series_instance_uid: str = Field(description="(0020,000E).")
    sha256: str = Field(description="Digest of the stored file, which is what every delivery sends.")


class Delivery(Answer):
    """One derived object on its way to one remote node."""

    delivery_id: int
    kind: ResultKind
    sop_instance_uid: str
    remote_node: str = Field(description="The node's name in softray.")
    state: DeliveryState
    attempts: int
    dimse_status: int | None = Field(description="The last C-STORE status the node answered.", examples=[0])
    reason_code: str | None
    reason_detail: str | None
    not_before: datetime | None = Field(description="When it is tried again.")
    updated_at: datetime


class Job(JobSummary):
    """One accepted image: what was made of it, where it went, and everything that happened."""

    retryable: bool = Field(description="Whether `POST /api/v1/jobs/{job_id}/retry` would be accepted now.")
    not_before: datetime | None = Field(description="When it is tried again by itself.")
    model_sha256: str | None = Field(description="Digest of the network's weights.")
    results: list[Result] = Field(description="The derived objects that were made, the companion image first.")
    previews: list[PreviewName] = Field(description="Which pictures `/api/v1/jobs/{job_id}/previews/{name}.png` has.")
    events: list[Event] = Field(description="Oldest first.")
    deliveries: list[Delivery]

    @classmethod
    def of(cls, row: queries.JobDetail) -> Job:
        """Flatten the read model."""
        paths = {
            "source": row.preview_source_path,
            "soft-tissue": row.preview_soft_path,
            "bone": row.preview_bone_path,
        }
        stored = [name for name, path in paths.items() if path is not None]
        retryable = row.summary.state in RETRYABLE
        return cls.model_validate({**vars(row.summary), **vars(row), "previews": stored, "retryable": retryable})


class Retried(Answer):
    """A retry was accepted."""

    job_id: str
    state: JobState = Field(description="QUEUED: it is computed again. DERIVED: the stored result is sent again.")


class RetriedMany(Answer):
    """What became of a call to retry many."""

    retried: int = Field(description="Jobs that were started again.")
    refused: dict[str, int] = Field(description="Jobs that could not be, by reason code; they stay failed.")
    left: int = Field(description="Failed jobs that the same call would still find, the refused ones included.")


class Cancelled(Answer):
    """A job was cancelled."""

    job_id: str
    withdrawn: int = Field(description="Deliveries that will not be sent.")
    sent: list[str] = Field(description="What had been sent already, and where; it stays there.")
    under_way: list[str] = Field(description="What was being sent at this moment, and may arrive.")


class Reprioritised(Answer):
    """A job has another priority."""

    job_id: str
    priority: Priority
    before: Priority = Field(description="The one it had.")


class Rejection(Answer):
    """An object that was refused, or kept aside, and did not become an instance."""

    received_at: datetime
    reason_code: str
    detail: str
    calling_ae_title: str
    sop_instance_uid: str | None = Field(description="When it could be read.")
    path: str | None = Field(description="Where its bytes lie, relative to the data folder; null: not kept.")


class RemoteNode(Answer):
    """An application entity that may send to softray, gets the results, or both."""

    name: str
    ae_title: str
    host: str
    port: int
    may_send: bool
    receives_results: bool
    tls: bool = Field(description="Whether results travel encrypted (DICOM over TLS).")
    url: str | None = Field(description="Where results go by STOW-RS; null: by C-STORE.")
    requests_commitment: bool = Field(description="Whether the node is asked for a storage commitment.")
    verifies: bool = Field(description="Whether it is asked if it has what it was sent, where no commitment comes.")
    failures_in_a_row: int = Field(description="Attempts in a row that it did not answer.")
    paused_until: datetime | None = Field(description="Until when nothing is sent to it, after too many of them.")
    created_at: datetime


class Paged(Answer):
    """One page of a list."""

    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last one.")


class Studies(Paged):
    """Studies, the one that received an image last first."""

    items: list[Study]


class Jobs(Paged):
    """Jobs, newest first."""

    items: list[JobSummary]
    counts: dict[JobState, int] = Field(
        description="All jobs by state, whatever the filter; 10000 stands for that many or more."
    )


class Rejections(Paged):
    """Refused objects, newest first."""

    items: list[Rejection]


class NotProcessed(Paged):
    """Images that were kept but are not ours to process, newest first."""

    items: list[Instance]


class RemoteNodes(Answer):
    """All remote nodes."""

    items: list[RemoteNode]
