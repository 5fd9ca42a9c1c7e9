"""Receiving one instance: steps 3 to 7 of the data's path, in order.

When `receive` returns, the instance is kept: its file is on disk and its rows are committed. When it raises, the sender
keeps it: a TransientError asks to send it again later, a RefusedObject says why it never can be taken.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, cast

from pydicom.dataset import Dataset
from sqlalchemy.orm import Session, sessionmaker

from dicom_node.admission import Admission, AdmissionTerms
from dicom_node.arrival import Arrival, ArrivingMessage
from dicom_node.callers import Callers
from dicom_node.data_set_header import DataSetHeader, read_header
from dicom_node.eligibility import EligibilityPolicy, Eligible, Ineligible, ReasonCode, judge
from dicom_node.errors import PixelErrorCode, RefusedObject
from dicom_node.header_values import items, text
from dicom_node.received_instance import ReceivedInstance
from dicom_node.status import CANNOT_UNDERSTAND, NOT_AUTHORISED
from dicom_node.urgency import UrgencyRules
from service.arriving_file import ArrivingFile
from service.audit.events import Actor, ActorKind, AuditKind, AuditNote
from service.audit.notes import note
from service.database import transaction
from service.errors import TransientError
from service.instance_store import InstanceStore, Kind, StoredFile
from service.registry import instances
from service.registry.instances import InstanceFacts, Reception, StoredRow, Verdict

DUPLICATE_UID = "DUPLICATE_UID"
_CODE_STRING = re.compile(r"[A-Z0-9 _]{1,16}")
_UID = re.compile(r"[0-9.]{1,64}")


class InferenceAnnouncer(Protocol):
    """The job queue, as seen from here."""

    def announce_inference(self, job_id: str) -> bool:
        """Tell a worker about a job; never raises, since the row is the truth and the message a hint.

        False: no message left, the sweep will send one.
        """

    def announce_notice(self, job_id: str) -> bool:
        """The same, about the report of a refusal."""


@dataclass(frozen=True)
class Limits:
    """Admission: the largest data set in bytes, the jobs that may wait before senders are asked to wait, and the bytes
    of unfinished images that a calling AE title may have."""

    max_instance_bytes: int
    max_queue_depth: int
    quotas: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Afterwards:
    """What follows a reception: whether the study of a refused image gets a report of it, and how long a For
    Processing image waits for a For Presentation one of the same exposure, in s."""

    notice_refusals: bool = False
    sibling_wait_s: float = 0.0


@dataclass(frozen=True)
class Receipt:
    """What became of a kept instance.

    `job_id` is set when it became a job now, `reason_code` when it is not ours, `notice_job_id` when the study gets a
    report of that; `notes` are what stood out otherwise.
    """

    sop_instance_uid: str
    reception: Reception
    reason_code: str | None
    job_id: str | None
    notes: tuple[str, ...] = ()
    notice_job_id: str | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Intake:
    """The connections and rules that receiving needs; safe to share between the associations' threads."""

    sessions: sessionmaker[Session]
    store: InstanceStore
    queue: InferenceAnnouncer
    callers: Callers
    policy: EligibilityPolicy
    limits: Limits
    shutting_down: threading.Event
    after: Afterwards = Afterwards()
    urgency: UrgencyRules = field(default_factory=UrgencyRules)
    clock: Callable[[], datetime] = _now

    def __post_init__(self) -> None:
        terms = AdmissionTerms(self.limits.max_queue_depth, self.limits.quotas)
        object.__setattr__(self, "_admission", Admission(self.sessions, self.store, terms, self.clock))

    @property
    def admission(self) -> Admission:
        """Made of the other fields, and never replaced."""
        return cast(Admission, vars(self)["_admission"])

    def open_arrival(self, message: ArrivingMessage) -> Arrival:
        """Where the data set of `message` goes while it comes."""
        open_file = partial(self._open_file, message.calling_ae_title)
        return Arrival(message, open_file, self.limits.max_instance_bytes)

    def require_room(self, calling_ae_title: str, expected_bytes: int) -> None:
        """Raise TransientError unless so many bytes of this sender may come now."""
        self._require_running()
        self.admission.require(calling_ae_title)
        self.store.require_space(expected_bytes)

    def receive(self, received: ReceivedInstance) -> Receipt:
        """Keep one instance and queue it if it is ours. Raises TransientError or RefusedObject: then it is not kept."""
        try:
            known = self._admit(received)
            header = read_header(received)
        except RefusedObject as refused:
            self._record_refusal(received, refused)
            raise
        verdict = self._judge(header)  # 3: is it ours?
        with self.store.locks.keeping(received.file_sha256()):  # until a row names the file, nobody may delete it
            stored = self._keep(received, known)  # 4: the file
            receipt = self._record(received, header, verdict, stored)  # 5 and 6: rows and job, committed
        if receipt.job_id is not None:
            self.admission.accepted(received.calling_ae_title, stored.size_bytes)
            self.queue.announce_inference(receipt.job_id)  # 7: after the commit
        if receipt.notice_job_id is not None:
            self.queue.announce_notice(receipt.notice_job_id)
        return receipt

    def _open_file(self, calling_ae_title: str) -> ArrivingFile:
        """Asked before the data set comes: what cannot be kept now need not be written."""
        self._require_running()
        self.admission.require(calling_ae_title)
        return self.store.open_arriving()

    def _admit(self, received: ReceivedInstance) -> StoredRow | None:
        """What is known under this UID, once it is clear that the instance may come in."""
        if received.file is None:  # otherwise asked when its first byte came; what came whole is kept
            self._require_running()
        size = len(received.data_set)
        if size > self.limits.max_instance_bytes:
            message = f"expected at most {self.limits.max_instance_bytes} bytes, found {size}"
            raise RefusedObject("INSTANCE_TOO_LARGE", message, CANNOT_UNDERSTAND)
        if received.file is None:  # otherwise asked before it came
            self.require_room(received.calling_ae_title, size)
        with transaction(self.sessions, read_only=True) as session:
            if not self.callers.permits_in(session, received.calling_ae_title):
                raise RefusedObject("CALLER_NOT_ALLOWED", "the calling AE title may not send", NOT_AUTHORISED)
            return instances.find_stored(session, received.sop_instance_uid)

    def _require_running(self) -> None:
        if self.shutting_down.is_set():
            raise TransientError("SHUTTING_DOWN", "the node is shutting down")

    def _judge(self, header: DataSetHeader) -> Eligible | Ineligible:
        verdict = judge(header.elements, self.policy)
        if isinstance(verdict, Eligible) and not header.has_pixels:
            return Ineligible(PixelErrorCode.PIXEL_DATA_MISSING, "expected Pixel Data (7FE0,0010), found none")
        return verdict

    def _keep(self, received: ReceivedInstance, known: StoredRow | None) -> StoredFile:
        other_content = known is not None and known.sha256 != received.file_sha256()
        kind = Kind.QUARANTINE if other_content else Kind.SOURCE
        if received.file is not None:
            return self.store.adopt(kind, received.file)
        return self.store.keep(kind, received.file_parts())

    def _record(
        self,
        received: ReceivedInstance,
        header: DataSetHeader,
        verdict: Eligible | Ineligible,
        stored: StoredFile,
    ) -> Receipt:
        priority = self.urgency.priority(received.calling_ae_title, received.command, header.elements)
        with transaction(self.sessions) as session:
            recorded = instances.record_instance(
                session,
                _facts(received, header, verdict),
                self._verdict(verdict),
                path=stored.path,
                sha256=stored.sha256,
                size_bytes=stored.size_bytes,
                priority=priority,
                deadlines=self.urgency.deadlines,
                now=self.clock(),
            )
            if recorded.reception is Reception.CONFLICT:
                instances.record_rejection(
                    session,
                    reason_code=DUPLICATE_UID,
                    detail="other content under a known SOP Instance UID; the first stays, this one is in quarantine",
                    calling_ae_title=received.calling_ae_title,
                    sop_instance_uid=header.sop_instance_uid,
                    path=stored.path,
                    sha256=stored.sha256,
                    now=self.clock(),
                )
            caller = Actor(ActorKind.REMOTE_NODE, received.calling_ae_title, received.caller_host)
            note(session, _audited(header, caller, recorded.reception), now=self.clock())
        notes = verdict.notes if isinstance(verdict, Eligible) else ()
        return Receipt(
            header.sop_instance_uid,
            recorded.reception,
            recorded.reason_code or (str(verdict.code) if isinstance(verdict, Ineligible) else None),
            recorded.job_id,
            notes,
            recorded.notice_job_id,
        )

    def _verdict(self, verdict: Eligible | Ineligible) -> Verdict:
        if isinstance(verdict, Eligible):
            return Verdict(sibling_wait_s=self.after.sibling_wait_s)
        # A PACS that routes our results back to us must not be answered with a report on each of them.
        notice = self.after.notice_refusals and verdict.code is not ReasonCode.OWN_OUTPUT
        return Verdict(str(verdict.code), verdict.detail, notice=notice)

    def _record_refusal(self, received: ReceivedInstance, refused: RefusedObject) -> None:
        with transaction(self.sessions) as session:
            instances.record_rejection(
                session,
                reason_code=refused.code,
                detail=str(refused),
                calling_ae_title=received.calling_ae_title,
                sop_instance_uid=received.sop_instance_uid,
                path=None,  # the sender was told and still has it
                sha256=received.file_sha256(),
                now=self.clock(),
            )


def _facts(received: ReceivedInstance, header: DataSetHeader, verdict: Eligible | Ineligible) -> InstanceFacts:
    elements = header.elements
    made_from = next(iter(items(elements, "SourceImageSequence")), Dataset())
    return InstanceFacts(
        study_instance_uid=header.study_instance_uid,
        series_instance_uid=header.series_instance_uid,
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=received.transfer_syntax_uid,
        modality=header.modality,
        calling_ae_title=received.calling_ae_title,
        body_part=_shaped(_CODE_STRING, text(elements, "BodyPartExamined").upper()),
        irradiation_event_uid=_shaped(_UID, text(elements, "IrradiationEventUID")),
        made_from_uid=_shaped(_UID, text(made_from, "ReferencedSOPInstanceUID")),
        open_questions=frozenset(map(str, verdict.open_questions)) if isinstance(verdict, Eligible) else frozenset(),
    )


def _audited(header: DataSetHeader, caller: Actor, reception: Reception) -> AuditNote:
    """What came over the network is told, whatever became of it."""
    return AuditNote(
        kind=AuditKind.INSTANCES_RECEIVED,
        actor=caller,
        subject="",
        study_instance_uid=header.study_instance_uid,
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        reason_code=None if reception is Reception.NEW else f"RECEPTION_{reception}",
    )


def _shaped(form: re.Pattern[str], value: str) -> str | None:
    """`value` if it is what it should be: anything else may be free text, which the registry does not hold."""
    return value if form.fullmatch(value) else None
