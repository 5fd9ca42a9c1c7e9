"""What a worker holds while it works on a job or a delivery, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass

from service.registry.receipt_facts import ReceiptFacts
from service.registry.result_kinds import ResultKind


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease runs out; `attempts` counts this one.

    `open_questions`: codes of what the header of the source left to its picture. `reason_code`, `reason_detail`: why
    the source is not processed, for a job that makes the notice of it.
    """

    job_id: str
    fencing_token: int
    attempts: int
    source_path: str
    source_sha256: str
    sop_instance_uid: str
    open_questions: frozenset[str] = frozenset()
    reason_code: str | None = None
    reason_detail: str | None = None


@dataclass(frozen=True)
class ResultFacts:
    """One derived object as it lies in the instance store."""

    kind: ResultKind
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    path: str
    sha256: str


@dataclass(frozen=True)
class DerivedFacts:
    """What a finished job left in the instance store, and what made it; a notice has no pictures and no model."""

    results: tuple[ResultFacts, ...]
    preview_source_path: str | None = None
    preview_soft_path: str | None = None
    preview_bone_path: str | None = None
    model_name: str | None = None
    model_sha256: str | None = None
    device: str | None = None
    receipt: ReceiptFacts | None = None


@dataclass(frozen=True)
class Destination:
    """Where to send: by STOW-RS to `url` if there is one, else by C-STORE to `host` and `port`, encrypted if `tls`."""

    remote_node_id: int
    name: str
    ae_title: str
    host: str
    port: int
    tls: bool = False
    url: str | None = None
    token_file: str | None = None


@dataclass(frozen=True)
class DeliveryClaim:
    """The right to send until the lease runs out; `attempts` counts this one."""

    delivery_id: int
    job_id: str
    fencing_token: int
    attempts: int
    study_instance_uid: str
    result: ResultFacts
    node: Destination
