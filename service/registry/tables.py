"""The registry's tables (SQLAlchemy 2), mirrored by `migrations/versions`.

Times are timezone-aware UTC. UIDs, AE titles, digests and reason codes identify everything; no column holds a
patient's name, ID, birth date, a date of the study or an accession number.

`announced_at` of jobs and deliveries is when a message about the row was last sent: a row that waits long after that
has lost its message and is announced again. `fencing_token` counts the claims of a row: whoever holds an older one has
lost it. The indexes on (state, …) serve the claim and the sweep, whose cost must not grow with finished rows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.registry.job_states import DeliveryState, JobState


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware datetime in UTC; SQLite, which drops the zone, stores it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes, which mean a different instant on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("expected a timezone-aware datetime, found a naive one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always timezone-aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ForeignText(TypeDecorator[str]):
    """Text that a peer or a library made up: cut to its length, and without NUL, which PostgreSQL refuses.

    Otherwise a strange header value could keep the very record of it from being written.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length=length)
        self.kept_characters = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What the database can hold of `value`."""
        return None if value is None else value.replace("\0", "")[: self.kept_characters]


ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
UID = String(64)  # PS3.5 §9.1
AE_TITLE = ForeignText(16)
SHA256 = String(64)
CODE = String(64)
PATH = String(255)
DETAIL = ForeignText(2000)
JOB_ID = String(36)


class Table(DeclarativeBase):
    """The metadata that migrations are compared with; every constraint has a name so that it can be altered."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime(),
        JobState: Enum(JobState, native_enum=False, create_constraint=False, length=16),
        DeliveryState: Enum(DeliveryState, native_enum=False, create_constraint=False, length=16),
    }


class RemoteNode(Table):
    """An application entity that we accept from, deliver to, or both; `removed_at` keeps its history readable."""

    __tablename__ = "remote_nodes"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    ae_title: Mapped[str] = mapped_column(AE_TITLE)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    may_send: Mapped[bool]
    receives_results: Mapped[bool]
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
    """A received instance; `sha256` is that of the file at `path`. Not eligible: `reason_code` says why."""

    __tablename__ = "instances"
    __table_args__ = (Index(None, "series_id"), Index(None, "reason_code", "id"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    sop_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str] = mapped_column(UID)
    path: Mapped[str] = mapped_column(PATH)
    sha256: Mapped[str] = mapped_column(SHA256)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    calling_ae_title: Mapped[str] = mapped_column(AE_TITLE)
    received_at: Mapped[datetime]
    eligible: Mapped[bool]
    reason_code: Mapped[str | None] = mapped_column(CODE)
    reason_detail: Mapped[str | None] = mapped_column(DETAIL)


class RejectedObject(Table):
    """Something refused or quarantined that did not become an instance; `path` is its place in the quarantine."""

    __tablename__ = "rejected_objects"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    received_at: Mapped[datetime]
    reason_code: Mapped[str] = mapped_column(CODE)
    detail: Mapped[str] = mapped_column(DETAIL)
    calling_ae_title: Mapped[str] = mapped_column(AE_TITLE)
    sop_instance_uid: Mapped[str | None] = mapped_column(ForeignText(64))
    path: Mapped[str | None] = mapped_column(PATH)
    sha256: Mapped[str | None] = mapped_column(SHA256)


class Job(Table):
    """The one job of one eligible instance."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "created_at"),
        Index(None, "state", "lease_expires_at"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(JOB_ID, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), unique=True)
    state: Mapped[JobState]
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
    derived_sop_instance_uid: Mapped[str | None] = mapped_column(UID)
    derived_series_instance_uid: Mapped[str | None] = mapped_column(UID)
    derived_path: Mapped[str | None] = mapped_column(PATH)
    derived_sha256: Mapped[str | None] = mapped_column(SHA256)
    preview_source_path: Mapped[str | None] = mapped_column(PATH)
    preview_soft_path: Mapped[str | None] = mapped_column(PATH)
    preview_bone_path: Mapped[str | None] = mapped_column(PATH)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Delivery(Table):
    """One derived instance on its way to one remote node; `dimse_status` is the last C-STORE status received."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("job_id", "remote_node_id"),
        Index(None, "state", "id"),
        Index(None, "state", "lease_expires_at"),
        Index(None, "remote_node_id", "state"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    remote_node_id: Mapped[int] = mapped_column(ForeignKey("remote_nodes.id"))
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
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
