"""What a worker holds while it asks a remote node to commit to results, or looks whether it has them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.registry.claims import Destination


@dataclass(frozen=True)
class CommitmentPolicy:
    """How results that were sent are followed up; times in s.

    `delay_s` after the sending, up to `batch` instances are put into one request; whoever asks stays
    `wait_for_report_s` for the report, which may take `timeout_s`. A node without C-FIND is asked `most_requests` times
    before the instances are sent again, `most_resends` times at most. A node that does not list an instance is asked
    until it was looked for `looks` times: archives index late.
    """

    delay_s: float = 2.0
    batch: int = 100
    wait_for_report_s: float = 5.0
    timeout_s: float = 24 * 3600.0
    most_requests: int = 2
    most_resends: int = 3
    looks: int = 3


class Step(StrEnum):
    """What is to be done about a request."""

    ASK = "ASK"
    VERIFY = "VERIFY"


@dataclass(frozen=True)
class AwaitedInstance:
    """One instance whose proof is awaited."""

    delivery_id: int
    job_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class RequestClaim:
    """The right to take `step` until the lease runs out; `attempts` counts this one.

    `refused`: the node does not commit. `verifies`: it can be asked what it has.
    """

    request_id: int
    transaction_uid: str
    step: Step
    refused: bool
    verifies: bool
    fencing_token: int
    attempts: int
    node: Destination
    instances: tuple[AwaitedInstance, ...]
