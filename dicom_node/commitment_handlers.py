"""What we answer in storage commitment (PS3.4 Annex J): to an archive's report, and to a modality's request.

An archive's N-EVENT-REPORT may come over the association that asked for it, or over one that it opens days later; both
end here. Success is answered only once the report is on record, so that an archive whose report was lost sends it
again. A request (N-ACTION) is taken only where the site has switched that on, and likewise only once it is on record.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, cast

from pydicom.dataset import Dataset
from pynetdicom.dimse_primitives import N_ACTION, N_EVENT_REPORT
from pynetdicom.events import Event
from pynetdicom.sop_class import StorageCommitmentPushModelInstance

from dicom_node.commitment_report import (
    INVALID_ARGUMENT,
    NO_SUCH_ACTION,
    NO_SUCH_INSTANCE,
    REQUEST_COMMITMENT,
    CommitmentReport,
    Reference,
    RefusedReport,
    read_references,
    read_report,
    valid_uid,
)
from dicom_node.status import (
    PROCESSING_FAILURE,
    RESOURCE_LIMITATION,
    SOP_CLASS_NOT_SUPPORTED,
    SUCCESS,
    status_of,
)
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

MOST_REFERENCES = 10_000


class ReportSink(Protocol):
    """Where reports are kept."""

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        """Keep `report` and return the status that answers it; the same report a second time changes nothing.

        Raises TransientError when it cannot be kept now.
        """


class PromiseBook(Protocol):
    """Where requests for commitment are kept."""

    def record(self, transaction_uid: str, requested: Sequence[Reference], asking_ae_title: str) -> int:
        """Keep the request and return the status that answers it. Raises TransientError when it cannot be kept."""


def on_n_event_report(event: Event, reports: ReportSink) -> tuple[int, None]:
    """Record the report and answer it; nothing is raised (pynetdicom would answer 0x0110 without a word)."""
    reporting = _peer_ae_title(event)
    read = _read(event)
    if isinstance(read, RefusedReport):
        _log(reporting, status=read.status, reason_code=read.code)
        return read.status, None
    try:
        status = reports.record(read, reporting)
    except Exception as error:
        status = status_of(error)
        _log(reporting, status=status, reason_code=type(error).__name__, report=read)
        return status, None
    _log(reporting, status=status, report=read)
    return status, None


def on_n_action(event: Event, promises: PromiseBook | None) -> tuple[int, None]:
    """Take a request for commitment; `promises` None: this node commits to nothing. Nothing is raised."""
    asking = _peer_ae_title(event)
    status = SOP_CLASS_NOT_SUPPORTED if promises is None else _taken(event, promises, asking)
    level = logging.INFO if status == SUCCESS else logging.WARNING
    log_event(logger, "commitment_request", level=level, node=asking, status=f"0x{status:04X}")
    return status, None


def _taken(event: Event, promises: PromiseBook, asking: str) -> int:
    request = cast(N_ACTION, event.request)
    if request.RequestedSOPInstanceUID != StorageCommitmentPushModelInstance:
        return NO_SUCH_INSTANCE
    if request.ActionTypeID != REQUEST_COMMITMENT:
        return NO_SUCH_ACTION
    try:
        information = event.action_information
        transaction_uid = valid_uid(information.get("TransactionUID"))
        requested, unreadable = read_references(information)
    except Exception:
        return INVALID_ARGUMENT
    if transaction_uid is None or not requested or unreadable:
        return INVALID_ARGUMENT
    if len(requested) > MOST_REFERENCES:
        return RESOURCE_LIMITATION
    try:
        return promises.record(transaction_uid, requested, asking)
    except TransientError:
        return RESOURCE_LIMITATION
    except Exception as error:
        log_event(logger, "commitment_request_failed", level=logging.ERROR, reason=type(error).__name__)
        return PROCESSING_FAILURE


def _read(event: Event) -> CommitmentReport | RefusedReport:
    request = cast(N_EVENT_REPORT, event.request)
    if request.AffectedSOPInstanceUID != StorageCommitmentPushModelInstance:
        detail = "expected the well-known instance of the Storage Commitment Push Model"
        return RefusedReport(NO_SUCH_INSTANCE, "NO_SUCH_INSTANCE", detail)
    try:
        information: Dataset | None = event.event_information if request.EventInformation is not None else None
    except Exception:
        return RefusedReport(INVALID_ARGUMENT, "EVENT_INFORMATION_UNREADABLE", "the Event Information cannot be read")
    return read_report(request.EventTypeID, information)


def _peer_ae_title(event: Event) -> str:
    peer = event.assoc.requestor if event.assoc.is_acceptor else event.assoc.acceptor
    return str(peer.ae_title).strip()


def _log(
    reporting: str, *, status: int, report: CommitmentReport | None = None, reason_code: str | None = None
) -> None:
    log_event(
        logger,
        "commitment_report",
        level=logging.INFO if status == 0 else logging.WARNING,
        node=reporting,
        status=f"0x{status:04X}",
        reason_code=reason_code,
        transaction_uid=report.transaction_uid if report else None,
        committed=len(report.committed) if report else None,
        failed=len(report.failed) if report else None,
    )
