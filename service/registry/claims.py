"""What a worker holds while it works on a job or a delivery, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease runs out; `attempts` counts this one."""

    job_id: str
    fencing_token: int
    attempts: int
    source_path: str
    source_sha256: str
    sop_instance_uid: str


@dataclass(frozen=True)
class DerivedFacts:
    """What a finished inference left in the instance store, and what made it."""

    sop_instance_uid: str
    series_instance_uid: str
    path: str
    sha256: str
    preview_source_path: str | None
    preview_soft_path: str | None
    preview_bone_path: str | None
    model_name: str
    model_sha256: str
    device: str


@dataclass(frozen=True)
class Destination:
    """Where to send."""

    name: str
    ae_title: str
    host: str
    port: int


@dataclass(frozen=True)
class DeliveryClaim:
    """The right to send until the lease runs out; `attempts` counts this one."""

    delivery_id: int
    job_id: str
    fencing_token: int
    attempts: int
    derived_path: str
    derived_sha256: str
    sop_instance_uid: str
    node: Destination
