"""What we answer when an archive reports on storage commitment: N-EVENT-REPORT (PS3.4 §J.3.3, PS3.7 §10.1.1).

The report may come over the association that asked for it, or over one that the archive opens days later; both end
here. Success is answered only once the report is on record, so that an archive whose report was lost sends it again.
"""

from __future__ import annotations

import logging
from typing import Protocol, cast

from pydicom.dataset import Dataset
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.events import Event
from pynetdicom.sop_class import StorageCommitmentPushModelInstance

from dicom_node.commitment_report import (
    INVALID_ARGUMENT,
    NO_SUCH_INSTANCE,
    CommitmentReport,
    RefusedReport,
    read_report,
)
from dicom_node.status import status_of
from service.logs import log_event

logger = logging.getLogger(__name__)


class ReportSink(Protocol):
    """Where reports are kept."""

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        """Keep `report` and return the status that answers it; the same report a second time changes nothing.

        Raises TransientError when it cannot be kept now.
        """


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
