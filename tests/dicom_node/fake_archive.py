"""An archive that can be told to misbehave: storage commitment and Study Root query/retrieve over real associations."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pynetdicom import AE, StoragePresentationContexts, build_role, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    DigitalXRayImageStorageForPresentation,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from dicom_node.commitment_report import CommitmentReport, Failed, Reference, event_information, read_references
from dicom_node.store_scu import Peer

_LEVEL_UIDS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


class Reports(Enum):
    """When and how the archive reports on a request."""

    SAME_ASSOCIATION = auto()
    NEW_ASSOCIATION = auto()
    TWICE = auto()
    NEVER = auto()
    GARBAGE = auto()
    DIES = auto()


@dataclass
class FakeArchive:
    """`holds` None: everything asked for is committed. `answers` are the statuses our side gave to its reports."""

    ae_title: str = "ARCHIVE"
    reports: Reports = Reports.SAME_ASSOCIATION
    n_action_status: int = 0x0000
    holds: set[str] | None = None
    failure_reason: int = 0x0112
    report_to: int = 0
    report_with_role_selection: bool = True
    commits: bool = True
    delay_s: float = 0.0
    find_status: int = 0x0000
    catalogue: list[Dataset] = field(default_factory=list)
    move_status: int = 0x0000
    destination: tuple[str, int] | None = None
    ignores_keys: bool = False
    port: int = 0
    tls: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    moves: list[Dataset] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def peer(self) -> Peer:
        return Peer(self.ae_title, "127.0.0.1", self.port)

    def settle(self) -> None:
        """Wait until everything that it had to report was reported."""
        for thread in self._threads:
            thread.join(timeout=10)

    def report(self, transaction_uid: str, instances: Sequence[Reference]) -> CommitmentReport:
        held = [r for r in instances if self.holds is None or r.sop_instance_uid in self.holds]
        return CommitmentReport(
            transaction_uid,
            tuple(held),
            tuple(Failed(r, self.failure_reason) for r in instances if r not in held),
        )

    def send_report(self, report: CommitmentReport) -> None:
        """Report over an association of its own."""
        entity = AE(ae_title=self.ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 5
        entity.add_requested_context(StorageCommitmentPushModel)
        roles = [build_role(StorageCommitmentPushModel, scp_role=True)] if self.report_with_role_selection else []
        association = entity.associate("127.0.0.1", self.report_to, ae_title="SOFTRAY", ext_neg=roles)
        if not association.is_established:
            self.answers.append(None)
            return
        self._report_over(association, report)
        association.release()

    def _report_over(self, association: object, report: CommitmentReport) -> None:
        event_type, information = event_information(report)
        if self.reports is Reports.GARBAGE:
            information = Dataset()
            information.TransactionUID = report.transaction_uid
            information.FailedSOPSequence = [Dataset(), Dataset()]
        try:
            answer, _ = association.send_n_event_report(  # type: ignore[attr-defined]
                information, event_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
        except (RuntimeError, ValueError):  # the association is gone
            self.answers.append(None)
        else:
            self.answers.append(answer.get("Status"))

    def _on_n_action(self, event: Event) -> tuple[int, None]:
        information = event.action_information
        uid = str(information.TransactionUID)
        self.requests.append(uid)
        instances, _ = read_references(information)
        if self.n_action_status == 0:
            thread = threading.Thread(target=self._follow_up, args=[event.assoc, self.report(uid, instances)])
            self._threads.append(thread)
            thread.start()
        return self.n_action_status, None

    def _follow_up(self, association: object, report: CommitmentReport) -> None:
        time.sleep(0.1 + self.delay_s)  # after the N-ACTION-RSP
        match self.reports:
            case Reports.SAME_ASSOCIATION | Reports.GARBAGE:
                self._report_over(association, report)
            case Reports.NEW_ASSOCIATION:
                self.send_report(report)
            case Reports.TWICE:
                self._report_over(association, report)
                self.send_report(report)
            case Reports.DIES:
                association.abort()  # type: ignore[attr-defined]
            case Reports.NEVER:
                pass

    def _on_c_find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        seen: set[str] = set()
        for entry in self._matching(asked):
            uid = str(entry[_LEVEL_UIDS[asked.QueryRetrieveLevel]].value)
            if uid in seen:
                continue
            seen.add(uid)
            match = Dataset()
            for element in asked:
                if element.keyword in entry:
                    match[element.keyword] = entry[element.keyword]
            yield 0xFF00, match
        if self.find_status:
            yield self.find_status, None

    def _on_c_move(self, event: Event) -> Iterator[object]:
        self.moves.append(event.identifier)
        if self.destination is None:
            yield None, None  # pynetdicom answers 0xA801
            return
        yield self.destination
        chosen = self._matching(event.identifier)
        yield len(chosen)
        for dataset in chosen:
            time.sleep(self.delay_s)
            if event.is_cancelled:
                self.cancelled.set()
                yield 0xFE00, None
                return
            if self.move_status:
                yield self.move_status, None
                return
            yield 0xFF00, dataset

    def _matching(self, asked: Dataset) -> list[Dataset]:
        keys = [e for e in asked if e.value and e.keyword != "QueryRetrieveLevel"]
        return [entry for entry in self.catalogue if self.ignores_keys or all(_matches(entry, key) for key in keys)]

    def contexts(self) -> AE:
        entity = AE(ae_title=self.ae_title)
        entity.require_called_aet = True
        if self.commits:
            entity.add_supported_context(StorageCommitmentPushModel)
        else:
            entity.add_supported_context(DigitalXRayImageStorageForPresentation)
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelMove)
        entity.requested_contexts = StoragePresentationContexts
        return entity


@contextlib.contextmanager
def running_archive(**changes: object) -> Iterator[FakeArchive]:
    """The archive on a free port until the block ends."""
    archive = FakeArchive(**changes)  # type: ignore[arg-type]
    entity = archive.contexts()
    server = entity.start_server(
        ("127.0.0.1", archive.port),
        block=False,
        ssl_context=archive.tls,
        evt_handlers=[
            (evt.EVT_N_ACTION, archive._on_n_action),
            (evt.EVT_C_FIND, archive._on_c_find),
            (evt.EVT_C_MOVE, archive._on_c_move),
        ],
    )
    assert server is not None
    archive.port = server.server_address[1]
    try:
        yield archive
    finally:
        archive.settle()
        server.shutdown()
        entity.shutdown()


def _matches(entry: Dataset, key: DataElement) -> bool:
    found, wanted = str(entry.get(key.keyword, "")), key.value
    if key.VR == "DA" and "-" in str(wanted):
        first, last = str(wanted).split("-")
        return first <= found <= last
    return found in [str(value) for value in wanted] if isinstance(wanted, MultiValue) else found == str(wanted)
