"""What an N-EVENT-REPORT of the Storage Commitment Push Model says (PS3.4 §J.3.3), and how to write one.

The report comes from the network and decides whether a result counts as safe, so it is read with suspicion: an instance
is committed only if the report names it and nowhere calls it failed. What cannot be read is a `RefusedReport` with the
status that answers it (PS3.7 §10.1.1.1.8). Pure: no network, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from dicom_node.status import PROCESSING_FAILURE

REQUEST_COMMITMENT = 1  # Action Type ID, PS3.4 Table J.3-1
ALL_COMMITTED = 1  # Event Type IDs, PS3.4 Table J.3-2
SOME_FAILED = 2

NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT_TYPE = 0x0113
NO_SUCH_ARGUMENT = 0x0114
INVALID_ARGUMENT = 0x0115
CLASS_INSTANCE_CONFLICT = 0x0119
NO_SUCH_ACTION = 0x0123
DUPLICATE_TRANSACTION = 0x0131

FAILURE_REASONS = {
    0x0110: "PROCESSING_FAILURE",
    0x0112: "NO_SUCH_INSTANCE",
    0x0119: "CLASS_INSTANCE_CONFLICT",
    0x0122: "SOP_CLASS_NOT_SUPPORTED",
    0x0131: "DUPLICATE_TRANSACTION",
    0x0213: "RESOURCE_LIMITATION",
}
"""Failure Reason (0008,1197), PS3.3 §C.14.1.1."""

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True)
class Reference:
    """One instance, as Referenced SOP Class and Instance UID (PS3.3 Table 10-11)."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class Failed:
    """One instance that is not committed, and its Failure Reason."""

    reference: Reference
    reason: int

    @property
    def code(self) -> str:
        """The reason in words for records and operators."""
        return FAILURE_REASONS.get(self.reason, f"FAILURE_REASON_{self.reason:04X}")


@dataclass(frozen=True)
class CommitmentReport:
    """The archive's answer to one request; an instance stands in one of the two, failed wins."""

    transaction_uid: str
    committed: tuple[Reference, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True)
class RefusedReport:
    """A report that cannot be used, and the DIMSE status that says so."""

    status: int
    code: str
    detail: str


def read_report(event_type: int | None, information: Dataset | None) -> CommitmentReport | RefusedReport:
    """The report in the Event Information of an N-EVENT-REPORT-RQ; never raises, whatever the data set holds."""
    if event_type not in (ALL_COMMITTED, SOME_FAILED):
        return RefusedReport(NO_SUCH_EVENT_TYPE, "NO_SUCH_EVENT_TYPE", f"expected type 1 or 2, found {event_type}")
    if information is None:
        return RefusedReport(NO_SUCH_ARGUMENT, "EVENT_INFORMATION_MISSING", "expected Event Information, found none")
    transaction_uid = valid_uid(_value(information, "TransactionUID"))
    if transaction_uid is None:
        return RefusedReport(INVALID_ARGUMENT, "TRANSACTION_UID_INVALID", "expected a Transaction UID (0008,1195)")
    failed = {
        reference: Failed(reference, _reason(item))
        for item in _items(information, "FailedSOPSequence")
        if (reference := _reference(item)) is not None
    }
    failed_uids = {reference.sop_instance_uid for reference in failed}
    named = (_reference(item) for item in _items(information, "ReferencedSOPSequence"))
    committed = dict.fromkeys(r for r in named if r is not None and r.sop_instance_uid not in failed_uids)
    if not committed and not failed:
        return RefusedReport(INVALID_ARGUMENT, "NOTHING_REPORTED", "expected at least one readable reference")
    return CommitmentReport(transaction_uid, tuple(committed), tuple(failed.values()))


def event_information(report: CommitmentReport) -> tuple[int, Dataset]:
    """Event Type ID and Event Information that say `report` (PS3.4 Table J.3-2)."""
    information = Dataset()
    information.TransactionUID = report.transaction_uid
    if report.committed:
        information.ReferencedSOPSequence = references(report.committed)
    if report.failed:
        information.FailedSOPSequence = references([failed.reference for failed in report.failed])
        for item, failed in zip(information.FailedSOPSequence, report.failed, strict=True):
            item.FailureReason = failed.reason
    return (SOME_FAILED if report.failed else ALL_COMMITTED), information


def references(instances: Sequence[Reference]) -> list[Dataset]:
    """The items of a Referenced SOP Sequence (0008,1199)."""
    items = []
    for instance in instances:
        item = Dataset()
        item.ReferencedSOPClassUID = instance.sop_class_uid
        item.ReferencedSOPInstanceUID = instance.sop_instance_uid
        items.append(item)
    return items


def read_references(information: Dataset) -> tuple[list[Reference], int]:
    """The readable items of the Referenced SOP Sequence of a request, and how many could not be read."""
    read = [_reference(item) for item in _items(information, "ReferencedSOPSequence")]
    good = list(dict.fromkeys(reference for reference in read if reference is not None))
    return good, sum(reference is None for reference in read)


def valid_uid(value: object) -> str | None:
    """`value` as a UID of at most 64 characters (PS3.5 §9.1), or None. Leading zeros pass: peers send them."""
    text = str(value).rstrip("\0 ") if isinstance(value, str) else ""
    return text if len(text) <= 64 and _UID.fullmatch(text) else None


def _reference(item: Dataset) -> Reference | None:
    sop_class = valid_uid(_value(item, "ReferencedSOPClassUID"))
    instance = valid_uid(_value(item, "ReferencedSOPInstanceUID"))
    return None if instance is None else Reference(sop_class or "", instance)


def _reason(item: Dataset) -> int:
    value = _value(item, "FailureReason")
    return value if isinstance(value, int) and 0 <= value <= 0xFFFF else PROCESSING_FAILURE


def _items(information: Dataset, keyword: str) -> Iterator[Dataset]:
    value = _value(information, keyword)
    if isinstance(value, DicomSequence):
        yield from cast("Sequence[Dataset]", value)


def _value(dataset: Dataset, keyword: str) -> object:
    # pydicom decodes a value when it is asked for it, and what it finds may be anything.
    try:
        return cast(object, dataset.get(keyword))
    except Exception:
        return None
