"""Storage commitment kept in the study registry: the `ReportSink` of node and worker, the `PromiseBook` of the node."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session, sessionmaker

from dicom_node.commitment_report import INVALID_ARGUMENT, CommitmentReport, Reference
from dicom_node.status import NOT_AUTHORISED, PROCESSING_FAILURE, SUCCESS
from service.database import transaction
from service.logs import log_event
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_promises import NoPromise, record_promise
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
        """As ReportSink: Success also for what is known, 0x0115 for a Transaction UID that this node was not given."""
        with transaction(self.sessions) as session:
            reception = record_report(
                session,
                report.transaction_uid,
                reporting_ae_title=reporting_ae_title,
                committed={reference.sop_instance_uid for reference in report.committed},
                failed={failed.reference.sop_instance_uid: failed.code for failed in report.failed},
                most_resends=self.policy.most_resends,
                now=self.clock(),
            )
        believed = reception not in {ReportReception.UNKNOWN_TRANSACTION, ReportReception.NOT_ASKED}
        log_event(
            logger,
            "commitment_recorded",
            level=logging.INFO if believed else logging.WARNING,
            transaction_uid=report.transaction_uid,
            node=reporting_ae_title,
            reception=reception,
        )
        return SUCCESS if believed else INVALID_ARGUMENT


@dataclass(frozen=True)
class RegistryPromises:
    """Records a request in one transaction; only a registered remote node can be reported to."""

    sessions: sessionmaker[Session]
    clock: Callable[[], datetime] = _now

    def record(self, transaction_uid: str, requested: Sequence[Reference], asking_ae_title: str) -> int:
        """As PromiseBook: Success; 0x0124 for an AE title that is no remote node's, 0x0110 for one without an address.

        Who is answered Success waits for the report. A node that may call from any host cannot be sent one.
        """
        pairs = [(reference.sop_class_uid, reference.sop_instance_uid) for reference in requested]
        with transaction(self.sessions) as session:
            promise = record_promise(session, asking_ae_title, transaction_uid, pairs, now=self.clock())
        if not isinstance(promise, NoPromise):
            return SUCCESS
        log_event(
            logger,
            "commitment_not_promised",
            level=logging.WARNING,
            transaction_uid=transaction_uid,
            node=asking_ae_title,
            reason_code=promise,
        )
        return PROCESSING_FAILURE if promise is NoPromise.NO_ADDRESS else NOT_AUTHORISED
