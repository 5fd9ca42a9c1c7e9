"""The registry's tables (SQLAlchemy 2), mirrored by `migrations/versions`.

Times are timezone-aware UTC. UIDs, AE titles, digests and reason codes identify everything; no column holds a
patient's name, ID, birth date, a date of the study or an accession number.

`results` holds every stored derived object; what travels is one delivery for each result and remote node. The proof of
a delivery (storage commitment) hangs on `commitment_requests`. `announced_at` of jobs and deliveries is when the sweep
last sent a message about the row; None: only whoever wrote the row may have, so the next sweep does (decision 21).
`fencing_token` counts the claims of a row: whoever holds an older one has lost it. The indexes on (state, …) serve the
claim and the sweep, whose cost must not grow with finished rows.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.priorities import Priority
from service.registry.column_types import (
    AE_TITLE,
    CODE,
    DETAIL,
    JOB_ID,
    PATH,
    ROW_ID,
    SHA256,
    UID,
    ForeignText,
)
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.metadata import Table as Table
from service.registry.result_kinds import ResultKind


class RemoteNode(Table):
    """An application entity that we accept from, deliver to, or both; `removed_at` keeps its history readable.

    With `url` results go there by STOW-RS, `token_file` holding the credential; without, by C-STORE to `host` and
    `port`, encrypted if `tls`. `failures_in_a_row` and `paused_until` are its circuit breaker.
    """

    __tablename__ = "remote_nodes"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    ae_title: Mapped[str] = mapped_column(AE_TITLE)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    may_send: Mapped[bool]
    receives_results: Mapped[bool]
    tls: Mapped[bool]
    url: Mapped[str | None] = mapped_column(String(1000))
    token_file: Mapped[str | None] = mapped_column(String(1000))
    requests_commitment: Mapped[bool]
    verifies: Mapped[bool]
    failures_in_a_row: Mapped[int]
    paused_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Study(Table):
    """A Study of which at least one instance was received."""

    __tablename__ = "studies"
    __table_args__ = (Index(None, "last_received_at"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    first_received_at: Mapped[datetime]
    last_received_at: Mapped[datetime]


class Series(Table):
    """A Series of which at least one instance was received."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("study_id", "series_instance_uid"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    series_instance_uid: Mapped[str] = mapped_column(UID)
    modality: Mapped[str | None] = mapped_column(ForeignText(16))


class Instance(Table):
    """A received instance; `sha256` is that of the file at `path`. Not eligible: `reason_code` says why.

    `open_questions` are the codes, with commas, of what the header left to the picture. `body_part` (Body Part
    Examined) is for routing. `irradiation_event_uid` and `made_from_uid` (the first instance in its Source Image
    Sequence) tell which objects show the same exposure. `file_removed_at`: retention has removed the file;
    `file_returned_at`: it was sent again after that. `promised_at`: we have committed to keep it. `file_fault`: code of
    what is wrong with the file, since `file_fault_at`.
    """

    __tablename__ = "instances"
    __table_args__ = (
        Index(None, "series_id"),
        Index(None, "reason_code", "id"),
        Index(None, "irradiation_event_uid"),
        Index(None, "made_from_uid"),
        Index(None, "path"),
        Index(None, "file_removed_at", "id"),
        Index(None, "file_fault", "id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    sop_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str] = mapped_column(UID)
    path: Mapped[str] = mapped_column(PATH)
    sha256: Mapped[str] = mapped_column(SHA256)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    calling_ae_title: Mapped[str] = mapped_column(AE_TITLE)
    body_part: Mapped[str | None] = mapped_column(ForeignText(16))
    irradiation_event_uid: Mapped[str | None] = mapped_column(ForeignText(64))
    made_from_uid: Mapped[str | None] = mapped_column(ForeignText(64))
    open_questions: Mapped[str | None] = mapped_column(String(255))
    received_at: Mapped[datetime]
    eligible: Mapped[bool]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
    file_removed_at: Mapped[datetime | None]
    file_returned_at: Mapped[datetime | None]
    promised_at: Mapped[datetime | None]
    file_fault: Mapped[str | None] = mapped_column(CODE)
    file_fault_at: Mapped[datetime | None]


class Job(Table):
    """What is to be done about one instance: its companion, or the notice that there is none; one of each at most.

    `priority`, then `turn` (see `turns`), then age decide whose turn it is; `source` is the calling AE title that turns
    are dealt out to. `due_at` is when the job becomes late, and empty again once that was noted at `late_at`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "created_at"),
        Index(None, "state", "lease_expires_at"),
        Index("ix_jobs_turns", "state", "purpose", "priority", "not_before", "turn", "created_at"),
        Index("ix_jobs_turns_of_a_source", "state", "purpose", "priority", "source", "turn"),
        Index(None, "state", "reason_code", "announced_at"),
        Index(None, "state", "due_at"),
        Index(None, "late_at"),
        Index(None, "created_at"),
        Index(None, "source", "created_at"),
        Index(None, "model_sha256", "created_at"),
        Index(None, "previews_removed_at", "created_at"),
        Index(None, "preview_source_path"),
        Index(None, "preview_soft_path"),
        Index(None, "preview_bone_path"),
        UniqueConstraint("instance_id", "purpose"),
    )

    id: Mapped[str] = mapped_column(JOB_ID, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    purpose: Mapped[JobPurpose]
    state: Mapped[JobState]
    priority: Mapped[Priority] = mapped_column(server_default=text("1"))
    source: Mapped[str | None] = mapped_column(AE_TITLE)
    turn: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    due_at: Mapped[datetime | None]
    late_at: Mapped[datetime | None]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
    attempts: Mapped[int]
    not_before: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    fencing_token: Mapped[int]
    step: Mapped[int]
    total_steps: Mapped[int]
    model_name: Mapped[str | None] = mapped_column(String(64))
    model_sha256: Mapped[str | None] = mapped_column(SHA256)
    device: Mapped[str | None] = mapped_column(String(255))
    preview_source_path: Mapped[str | None] = mapped_column(PATH)
    preview_soft_path: Mapped[str | None] = mapped_column(PATH)
    preview_bone_path: Mapped[str | None] = mapped_column(PATH)
    previews_removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Result(Table):
    """A stored derived object of a job; its bytes at `path` are what every delivery sends.

    One that `replaces_id` another is the same picture as Secondary Capture, for nodes that take nothing else.
    `file_removed_at`, `file_fault`: as with an instance.
    """

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("job_id", "kind", "sop_class_uid"),
        Index(None, "sop_instance_uid"),
        Index(None, "path"),
        Index(None, "file_removed_at", "id"),
        Index(None, "file_fault", "id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[ResultKind]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("results.id"))
    sop_class_uid: Mapped[str] = mapped_column(UID)
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    series_instance_uid: Mapped[str] = mapped_column(UID)
    path: Mapped[str] = mapped_column(PATH)
    sha256: Mapped[str] = mapped_column(SHA256)
    created_at: Mapped[datetime]
    file_removed_at: Mapped[datetime | None]
    file_fault: Mapped[str | None] = mapped_column(CODE)
    file_fault_at: Mapped[datetime | None]


class Delivery(Table):
    """One result on its way to one remote node; `dimse_status` is the last C-STORE status received.

    `priority` is that of its job, repeated here so that each node's queue is ordered by index.

    `commitment_request_id` is the last request for a commitment that names it; `resends` counts how often the node was
    found not to have it after it had said that it did.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("result_id", "remote_node_id"),
        Index(None, "job_id"),
        Index(None, "state", "id"),
        Index(None, "state", "lease_expires_at"),
        Index(None, "remote_node_id", "state", "commitment_request_id"),
        Index("ix_deliveries_turns", "remote_node_id", "state", "priority", "not_before", "id"),
        Index(None, "commitment_request_id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    result_id: Mapped[int] = mapped_column(ForeignKey("results.id"))
    remote_node_id: Mapped[int] = mapped_column(ForeignKey("remote_nodes.id"))
    commitment_request_id: Mapped[int | None] = mapped_column(ForeignKey("commitment_requests.id"))
    state: Mapped[DeliveryState]
    priority: Mapped[Priority] = mapped_column(server_default=text("1"))
    attempts: Mapped[int]
    resends: Mapped[int]
    sent_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    fencing_token: Mapped[int]
    dimse_status: Mapped[int | None]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)
    updated_at: Mapped[datetime]


class JobEvent(Table):
    """One line of a job's history, written in the transaction of the change it tells of."""

    __tablename__ = "job_events"
    __table_args__ = (Index(None, "job_id", "id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(64))
    from_state: Mapped[JobState | None]
    to_state: Mapped[JobState | None]
    detail: Mapped[str | None] = mapped_column(DETAIL)


# The tables that have a file of their own belong to the same metadata.
import service.registry.access_tables  # noqa: E402
import service.registry.audit_tables  # noqa: E402
import service.registry.promise_table  # noqa: E402
import service.registry.reader_tables  # noqa: E402
import service.registry.recall_tables  # noqa: E402
import service.registry.receipt_table  # noqa: E402
import service.registry.total_table  # noqa: E402
import service.registry.upkeep_tables  # noqa: E402, F401
from service.registry.commitment_table import CommitmentRequest as CommitmentRequest  # noqa: E402
from service.registry.rejected_table import RejectedObject as RejectedObject  # noqa: E402
