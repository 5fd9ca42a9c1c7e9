"""The named states at which a process can be hit: one function of the product each, and the moment before or after it.

A point is named after the state that the rows are in (JobState, DeliveryState, CommitmentState) and the step that was
just taken. Targets are dotted names as the caller sees them; one that is gone stops the harness at its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The processes of an installation. The sweeper is a thread of the network worker."""

    NODE = "node"
    API = "api"
    GPU = "gpu"
    NETWORK = "network"
    SWEEPER = "sweeper"

    @property
    def process(self) -> Role:
        """The process that it lives in."""
        return Role.NETWORK if self is Role.SWEEPER else self


class When(StrEnum):
    """Which side of the function."""

    BEFORE = "before"
    AFTER = "after"


class Need(StrEnum):
    """What has to go wrong first, or to be asked for, for the point to be reached."""

    IMAGE = "IMAGE"
    """Nothing: every image passes."""
    LOST_INFERENCE_MESSAGE = "LOST_INFERENCE_MESSAGE"
    LOST_DELIVERY_MESSAGE = "LOST_DELIVERY_MESSAGE"
    LOST_REPORT = "LOST_REPORT"
    """The archive's report does not get through: the instances are looked for."""
    RETRY = "RETRY"
    """An administrator retries a failed job."""


@dataclass(frozen=True)
class Point:
    """One named state of one process.

    `thread`: only there, None everywhere. `message`: the function sends a hint, which can be lost or doubled. `writes`:
    a file is written next, for which there may be no space.
    """

    role: Role
    state: str
    step: str
    target: str
    when: When
    need: Need = Need.IMAGE
    thread: str | None = None
    message: bool = False
    writes: bool = False

    @property
    def key(self) -> str:
        """Its name in files and on the command line."""
        words = f"{self.role} {self.state} {self.step}".lower()
        return "".join(c if c.isalnum() else "-" for c in words)


def points_of(role: str) -> list[Point]:
    """The points inside the processes of `role`."""
    return [point for point in POINTS if point.role.process == role]


def _node(state: str, step: str, target: str, when: When, *, writes: bool = False) -> Point:
    return Point(Role.NODE, state, step, target, when, writes=writes)


def _api(state: str, step: str, target: str, when: When) -> Point:
    sends = target == _ANNOUNCE_INFERENCE and when is When.BEFORE
    return Point(Role.API, state, step, target, when, Need.RETRY, message=sends)


def _gpu(state: str, step: str, target: str, when: When, *, writes: bool = False) -> Point:
    return Point(Role.GPU, state, step, target, when, writes=writes)


def _network(state: str, step: str, target: str, when: When, need: Need = Need.IMAGE) -> Point:
    return Point(Role.NETWORK, state, step, target, when, need)


def _sweeper(state: str, step: str, target: str, when: When, need: Need = Need.IMAGE) -> Point:
    return Point(Role.SWEEPER, state, step, target, when, need, thread="sweeper")


BEFORE, AFTER = When.BEFORE, When.AFTER
_ANNOUNCE_INFERENCE = "service.job_queue.JobQueue.announce_inference"
_ANNOUNCE_DELIVERY = "service.job_queue.JobQueue.announce_delivery"
_REPORT = "dicom_node.commitment_registry.RegistryReports.record"

POINTS = (
    _node("-", "file opened", "service.instance_store.InstanceStore.open_arriving", BEFORE, writes=True),
    _node("-", "all bytes here", "dicom_node.intake.Intake.receive", BEFORE),
    _node("-", "file not named", "service.instance_store.InstanceStore.adopt", BEFORE, writes=True),
    _node("-", "file named, no row", "service.instance_store.InstanceStore.adopt", AFTER),
    _node("QUEUED", "rows not committed", "service.registry.instances.record_instance", AFTER),
    Point(Role.NODE, "QUEUED", "not announced", _ANNOUNCE_INFERENCE, BEFORE, message=True),
    _node("QUEUED", "not answered", "dicom_node.intake.Intake.receive", AFTER),
    _node("QUEUED", "answer on its way", "dicom_node.handlers.on_c_store", AFTER),
    _node("REQUESTED", "report here", _REPORT, BEFORE),
    _node("REPORTED", "not committed", "dicom_node.commitment_registry.record_report", AFTER),
    _node("REPORTED", "not answered", _REPORT, AFTER),
    _api("FAILED", "retry asked for", "service.registry.jobs.retry", BEFORE),
    _api("QUEUED", "retry not committed", "service.registry.jobs.retry", AFTER),
    _api("QUEUED", "retry not announced", _ANNOUNCE_INFERENCE, BEFORE),
    _api("QUEUED", "retry not answered", _ANNOUNCE_INFERENCE, AFTER),
    _gpu("QUEUED", "message taken", "worker.infer.infer", BEFORE),
    _gpu("RUNNING", "claim not committed", "service.registry.jobs.claim", AFTER),
    _gpu("RUNNING", "claimed", "worker.infer.require_budget", BEFORE),
    _gpu("RUNNING", "source read", "worker.infer.read_stored_instance", AFTER),
    _gpu("RUNNING", "sampling", "tests.kill_anywhere.copy_step.copied", BEFORE),
    _gpu("RUNNING", "result made", "worker.infer._keep", BEFORE, writes=True),
    _gpu("RUNNING", "result stored", "worker.infer.keep_object", AFTER, writes=True),
    _gpu("RUNNING", "all stored", "worker.infer._keep", AFTER),
    _gpu("DERIVED", "not committed", "service.registry.jobs.record_derived", AFTER),
    _gpu("DERIVED", "committed", "service.registry.delivery_queue.pending_deliveries", BEFORE),
    Point(Role.GPU, "PENDING", "not announced", _ANNOUNCE_DELIVERY, BEFORE, message=True),
    _gpu("PENDING", "message kept", "worker.infer.infer", AFTER),
    _network("PENDING", "message taken", "worker.app.deliver", BEFORE),
    _network("SENDING", "claim not committed", "service.registry.delivery_queue.claim_delivery", AFTER),
    _network("SENDING", "claimed", "worker.deliver.require_budget", BEFORE),
    _network("SENDING", "file read", "worker.deliver.send_file", BEFORE),
    _network("SENDING", "associated", "dicom_node.kept_associations.store", BEFORE),
    _network("SENDING", "stored by the PACS", "dicom_node.kept_associations.store", AFTER),
    _network("SENDING", "answer known", "worker.deliver.send_file", AFTER),
    _network("SENT", "not committed", "service.registry.deliveries.delivery_sent", AFTER),
    _network("SENT", "committed", "worker.deliver._announce_next", BEFORE),
    _network("SENT", "message kept", "worker.app.deliver", AFTER),
    _network("PLANNED", "not committed", "worker.commit.plan_requests", AFTER),
    _network("PLANNED", "claimed", "worker.commit._ask", BEFORE),
    _network("PLANNED", "taken by the PACS", "worker.commit.request_commitment", AFTER),
    _network("REQUESTED", "not committed", "service.registry.commitments.request_accepted", AFTER),
    _network("REQUESTED", "committed", "worker.commit._ask", AFTER),
    _network("EXPIRED", "to be looked for", "worker.commit._look", BEFORE, Need.LOST_REPORT),
    _network("EXPIRED", "found", "worker.commit.look_up", AFTER, Need.LOST_REPORT),
    _network("VERIFIED", "not committed", "worker.commit.delivery_proven", AFTER, Need.LOST_REPORT),
    _sweeper("-", "looking", "worker.sweep.due_jobs", BEFORE),
    _sweeper("QUEUED", "due again, not committed", "worker.sweep.due_jobs", AFTER, Need.LOST_INFERENCE_MESSAGE),
    _sweeper("QUEUED", "due again, not announced", _ANNOUNCE_INFERENCE, BEFORE, Need.LOST_INFERENCE_MESSAGE),
    _sweeper("QUEUED", "announced again", _ANNOUNCE_INFERENCE, AFTER, Need.LOST_INFERENCE_MESSAGE),
    _sweeper("PENDING", "due again, not announced", _ANNOUNCE_DELIVERY, BEFORE, Need.LOST_DELIVERY_MESSAGE),
    _sweeper("PENDING", "announced again", _ANNOUNCE_DELIVERY, AFTER, Need.LOST_DELIVERY_MESSAGE),
)
