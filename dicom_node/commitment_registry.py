"""Reports on storage commitment, kept in the study registry; the `ReportSink` of the node and of the worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session, sessionmaker

from dicom_node.commitment_report import INVALID_ARGUMENT, CommitmentReport
from dicom_node.status import SUCCESS
from service.database import transaction
from service.logs import log_event
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_reports import ReportReception, record_report

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RegistryReports:
    """Records a report in one transaction; safe to share between the associations' threads."""

    sessions: sessionmaker[Session]
    policy: CommitmentPolicy = field(default_factory=CommitmentPolicy)
    clock: Callable[[], datetime] = _now

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        """As ReportSink: Success also for what is known, 0x0115 for a Transaction UID that is not ours."""
        with transaction(self.sessions) as session:
            reception = record_report(
                session,
                report.transaction_uid,
                committed={reference.sop_instance_uid for reference in report.committed},
                failed={failed.reference.sop_instance_uid: failed.code for failed in report.failed},
                most_resends=self.policy.most_resends,
                now=self.clock(),
            )
        log_event(
            logger,
            "commitment_recorded",
            transaction_uid=report.transaction_uid,
            node=reporting_ae_title,
            reception=reception,
        )
        return INVALID_ARGUMENT if reception is ReportReception.UNKNOWN_TRANSACTION else SUCCESS
