"""Reading a storage commitment report: nothing it holds makes us raise, or believe too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO

from dicom_node.commitment_report import (
    CommitmentReport,
    Failed,
    Reference,
    RefusedReport,
    event_information,
    read_report,
    valid_uid,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of what is tested here

UIDS = st.lists(st.integers(0, 10**9), min_size=1, max_size=6).map(lambda parts: ".".join(map(str, (1, 2, *parts))))
REFERENCES = st.builds(Reference, UIDS, UIDS)
STATUSES = {0x0112, 0x0113, 0x0114, 0x0115}


@given(UIDS, st.sets(REFERENCES, max_size=5), st.sets(REFERENCES, max_size=5), st.integers(0, 0xFFFF))
def test_what_is_written_is_read_back(
    transaction: str, committed: set[Reference], failed: set[Reference], reason: int
) -> None:
    failed_uids = {reference.sop_instance_uid for reference in failed}
    kept = tuple(r for r in committed if r.sop_instance_uid not in failed_uids)
    report = CommitmentReport(transaction, kept, tuple(Failed(r, reason) for r in failed))
    event_type, information = event_information(report)
    assert event_type == (2 if failed else 1)
    read = read_report(event_type, information)
    if kept or failed:
        assert read == report
    else:
        assert isinstance(read, RefusedReport)


@given(st.integers() | st.none(), st.none() | st.builds(Dataset))
def test_another_event_type_or_an_empty_report_is_refused_with_a_status(
    event_type: int | None, information: Dataset | None
) -> None:
    refused = read_report(event_type, information)
    assert isinstance(refused, RefusedReport)
    assert refused.status in STATUSES


VALUES = st.one_of(
    st.none(),
    st.text(max_size=80),
    st.binary(max_size=20),
    st.integers(-10, 1 << 40),
    st.lists(st.text(max_size=10), max_size=3),
)


@given(VALUES, st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=4), st.booleans(), st.sampled_from([1, 2]))
def test_whatever_stands_in_the_elements_nothing_is_raised(
    transaction: object, items: list[tuple[object, object, object]], nested: bool, event_type: int
) -> None:
    information = Dataset()
    _put(information, 0x00081195, "UI", transaction)
    sequence = []
    for sop_class, instance, reason in items:
        item = Dataset()
        _put(item, 0x00081150, "UI", sop_class)
        _put(item, 0x00081155, "UI", instance)
        _put(item, 0x00081197, "US", reason)
        sequence.append(item)
    information.FailedSOPSequence = sequence
    if nested:
        information.ReferencedSOPSequence = sequence
    else:
        _put(information, 0x00081199, "UN", b"not a sequence")
    read = read_report(event_type, information)
    if isinstance(read, CommitmentReport):
        assert not ({f.reference for f in read.failed} & set(read.committed))
        assert all(valid_uid(f.reference.sop_instance_uid) for f in read.failed)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_read_but_never_raise(content: bytes) -> None:
    try:
        information = dcmread(DicomBytesIO(content), force=True)
    except Exception:  # the handler answers 0x0115 for what pydicom cannot decode
        return
    assert isinstance(read_report(1, information), RefusedReport | CommitmentReport)


def test_an_instance_named_in_both_lists_counts_as_failed() -> None:
    twice = Reference("1.2", "1.2.3")
    _, information = event_information(CommitmentReport("2.25.1", (twice,), (Failed(twice, 0x0110),)))
    assert read_report(1, information) == CommitmentReport("2.25.1", (), (Failed(twice, 0x0110),))


def test_a_failure_without_a_reason_is_a_processing_failure() -> None:
    _, information = event_information(CommitmentReport("2.25.1", (), (Failed(Reference("1.2", "1.2.3"), 0x0112),)))
    del information.FailedSOPSequence[0].FailureReason
    read = read_report(2, information)
    assert isinstance(read, CommitmentReport)
    assert [failed.code for failed in read.failed] == ["PROCESSING_FAILURE"]


def test_a_padded_uid_is_the_uid() -> None:
    assert valid_uid("1.2.3\0") == "1.2.3"
    assert valid_uid("1.2.3 ") == "1.2.3"
    assert valid_uid("1..3") is None
    assert valid_uid("1." + "2" * 63) is None
    assert valid_uid("") is None


def _put(dataset: Dataset, tag: int, vr: str, value: object) -> None:
    try:
        dataset.add_new(tag, vr, value)
    except Exception:  # pydicom does not hold this value at all
        return
