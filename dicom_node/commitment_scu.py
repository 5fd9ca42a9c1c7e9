"""Asking an archive to commit instances: Storage Commitment Push Model as SCU (PS3.4 Annex J).

`request_commitment` sends the N-ACTION and stays a bounded time for the report, which the archive may send over the
same association or, any time later, over one of its own. Being told "later" is no failure: SENT with no report.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import build_context, evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from dicom_node.commitment_handlers import ReportSink, on_n_event_report
from dicom_node.commitment_report import REQUEST_COMMITMENT, CommitmentReport, Reference, references
from dicom_node.conformance import UNCOMPRESSED
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer
from dicom_node.status import Outcome, StatusRange

_LOOK_S = 0.05

# N-ACTION statuses, PS3.7 §10.1.4.1.10; read from the top.
N_ACTION_STATUSES = (
    StatusRange(0x0000, 0x0001, "ACCEPTED", "accepted", Outcome.SENT),
    StatusRange(0x0107, 0x0107, "ACCEPTED", "accepted, with a warning", Outcome.SENT),
    StatusRange(0x0110, 0x0110, "PROCESSING_FAILURE", "processing failure", Outcome.RETRY),
    StatusRange(0x0116, 0x0116, "ACCEPTED", "accepted, attribute values out of range", Outcome.SENT),
    StatusRange(0x0118, 0x0118, "SOP_CLASS_NOT_SUPPORTED", "no such SOP class", Outcome.REFUSED),
    StatusRange(0x0122, 0x0122, "SOP_CLASS_NOT_SUPPORTED", "SOP class not supported", Outcome.REFUSED),
    StatusRange(0x0123, 0x0123, "NO_SUCH_ACTION", "no such action", Outcome.REFUSED),
    StatusRange(0x0124, 0x0124, "NOT_AUTHORISED", "not authorised", Outcome.REFUSED),
    StatusRange(0x0131, 0x0131, "DUPLICATE_TRANSACTION", "duplicate Transaction UID", Outcome.RETRY),
    StatusRange(0x0210, 0x0210, "DUPLICATE_INVOCATION", "duplicate invocation", Outcome.RETRY),
    StatusRange(0x0211, 0x0211, "UNRECOGNISED_OPERATION", "unrecognised operation", Outcome.REFUSED),
    StatusRange(0x0213, 0x0213, "OUT_OF_RESOURCES", "resource limitation", Outcome.RETRY),
    StatusRange(0xA700, 0xA7FF, "OUT_OF_RESOURCES", "out of resources", Outcome.RETRY),
    StatusRange(0xB000, 0xBFFF, "ACCEPTED", "accepted, with a warning", Outcome.SENT),
)
_UNKNOWN = StatusRange(0x0000, 0xFFFF, "UNKNOWN_STATUS", "a failure the Standard does not list", Outcome.REFUSED)


@dataclass(frozen=True)
class CommitmentAnswer:
    """What became of a request; SENT: the archive took it on.

    `report` is set when its report on this very request came within the wait. `status` None: there was no answer.
    """

    outcome: Outcome
    status: int | None
    code: str
    detail: str
    report: CommitmentReport | None = None


def request_commitment(
    peer: Peer,
    transaction_uid: str,
    instances: Sequence[Reference],
    *,
    calling_ae_title: str,
    reports: ReportSink,
    wait_for_report_s: float = 5.0,
    timeout_s: float = 30.0,
) -> CommitmentAnswer:
    """Ask `peer` to commit `instances` under `transaction_uid`; nothing is raised.

    Every report that comes over this association goes to `reports`, also one on an earlier request.
    """
    awaited = _AwaitedReport(transaction_uid, reports)
    with outgoing_association(
        peer,
        [build_context(StorageCommitmentPushModel, list(UNCOMPRESSED))],
        calling_ae_title=calling_ae_title,
        timeout_s=timeout_s,
        evt_handlers=[
            (evt.EVT_N_EVENT_REPORT, on_n_event_report, [awaited]),
            (evt.EVT_DIMSE_SENT, awaited.on_message_sent),
            (evt.EVT_PDU_SENT, awaited.on_pdu_sent),
        ],
    ) as association:
        if isinstance(association, NoAssociation):
            return CommitmentAnswer(association.outcome, None, association.code, association.detail)
        answer = _ask(association, transaction_uid, instances)
        if answer.outcome is Outcome.SENT:
            awaited.wait(association, wait_for_report_s)
    return CommitmentAnswer(answer.outcome, answer.status, answer.code, answer.detail, awaited.report)


def _ask(association: Association, transaction_uid: str, instances: Sequence[Reference]) -> CommitmentAnswer:
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = references(instances)
    try:
        answer, _ = association.send_n_action(
            information, REQUEST_COMMITMENT, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
    except Exception as error:  # the peer closed the connection in between, or does not take the role of SCP
        return CommitmentAnswer(Outcome.RETRY, None, "ASKING_FAILED", f"{type(error).__name__} while asking")
    status = answer.get("Status")
    if status is None:
        return CommitmentAnswer(Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    meaning = next((known for known in N_ACTION_STATUSES if known.first <= status <= known.last), _UNKNOWN)
    return CommitmentAnswer(meaning.outcome, status, meaning.code, f"0x{status:04X} {meaning.meaning}")


class _AwaitedReport:
    """Passes reports on, and knows when the one on this request was answered on the wire."""

    def __init__(self, transaction_uid: str, reports: ReportSink) -> None:
        self.report: CommitmentReport | None = None
        self._transaction_uid = transaction_uid
        self._reports = reports
        self._answering = False
        self._answered = threading.Event()

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        """As ReportSink."""
        status = self._reports.record(report, reporting_ae_title)
        if report.transaction_uid == self._transaction_uid:
            self.report = report
        return status

    def on_message_sent(self, event: evt.Event) -> None:
        """The answer is about to be cut into PDUs."""
        self._answering = self.report is not None and isinstance(event.message, N_EVENT_REPORT_RSP)

    def on_pdu_sent(self, event: evt.Event) -> None:
        """The answer is on the wire: only now may the association be released."""
        if self._answering and isinstance(event.pdu, P_DATA_TF):
            self._answered.set()

    def wait(self, association: Association, seconds: float) -> None:
        """Return once the report was answered, the peer has gone, or `seconds` have passed."""
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if self._answered.wait(_LOOK_S) or not association.is_established:
                return
