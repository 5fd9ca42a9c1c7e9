"""Telling whoever asked us to commit what we keep: N-EVENT-REPORT as SCP of storage commitment (PS3.4 §J.3.3).

Always over an association of our own, in the role of SCP: the asker may release its association at any moment, and a
report that meets the release is lost (it may deadlock both). Nothing is raised.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynetdicom import build_context, build_role
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from dicom_node.commitment_report import CommitmentReport, event_information
from dicom_node.conformance import UNCOMPRESSED
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer
from dicom_node.status import PROCESSING_FAILURE, RESOURCE_LIMITATION, SUCCESS, Outcome

_AGAIN_LATER = {PROCESSING_FAILURE, RESOURCE_LIMITATION, 0xA700}


@dataclass(frozen=True)
class ReportDelivery:
    """Whether the report was taken; `status` None: there was no answer."""

    outcome: Outcome
    status: int | None
    code: str
    detail: str


def send_report(
    peer: Peer,
    report: CommitmentReport,
    *,
    calling_ae_title: str,
    timeout_s: float = 30.0,
) -> ReportDelivery:
    """Deliver `report` to `peer`."""
    event_type, information = event_information(report)
    with outgoing_association(
        peer,
        [build_context(StorageCommitmentPushModel, list(UNCOMPRESSED))],
        calling_ae_title=calling_ae_title,
        timeout_s=timeout_s,
        roles=[build_role(StorageCommitmentPushModel, scp_role=True)],
    ) as association:
        if isinstance(association, NoAssociation):
            return ReportDelivery(association.outcome, None, association.code, association.detail)
        try:
            answer, _ = association.send_n_event_report(
                information, event_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
        except Exception as error:  # the peer closed the connection in between
            detail = f"{type(error).__name__} while reporting"
            return ReportDelivery(Outcome.RETRY, None, "REPORTING_FAILED", detail)
    status = answer.get("Status")
    if status is None:
        return ReportDelivery(Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    if status == SUCCESS:
        return ReportDelivery(Outcome.SENT, status, "REPORTED", "")
    outcome = Outcome.RETRY if status in _AGAIN_LATER else Outcome.REFUSED
    return ReportDelivery(outcome, status, "REPORT_REFUSED", f"answered 0x{status:04X}")
