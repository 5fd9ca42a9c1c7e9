"""Asking for storage commitment over real associations: every way in which archives report, and fail to."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field

import pytest

from dicom_node.commitment_report import CommitmentReport, Failed, Reference
from dicom_node.commitment_scu import CommitmentAnswer, request_commitment
from dicom_node.status import Outcome
from dicom_node.store_scu import Peer
from service.errors import TransientError
from tests.dicom_node.fake_archive import FakeArchive, Reports, running_archive

DX = "1.2.840.10008.5.1.4.1.1.1.1"
TRANSACTION = "2.25.77"
TWO = [Reference(DX, "2.25.1"), Reference(DX, "2.25.2")]


@dataclass
class RecordingSink:
    """Keeps what is reported."""

    kept: list[CommitmentReport] = field(default_factory=list)
    reporting: list[str] = field(default_factory=list)
    fails: bool = False

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        if self.fails:
            raise TransientError("REGISTRY_UNAVAILABLE", "the database is away")
        self.kept.append(report)
        self.reporting.append(reporting_ae_title)
        return 0x0000


def ask(
    archive: FakeArchive | Peer, sink: RecordingSink | None = None, *, wait_s: float = 5, timeout_s: float = 5
) -> CommitmentAnswer:
    return request_commitment(
        archive.peer if isinstance(archive, FakeArchive) else archive,
        TRANSACTION,
        TWO,
        calling_ae_title="SOFTRAY",
        reports=sink or RecordingSink(),
        wait_for_report_s=wait_s,
        timeout_s=timeout_s,
    )


def test_the_report_over_the_same_association_is_recorded_and_answered_success() -> None:
    sink = RecordingSink()
    with running_archive() as archive:
        answer = ask(archive, sink)
    assert (answer.outcome, answer.status, answer.code) == (Outcome.SENT, 0x0000, "ACCEPTED")
    assert answer.report == CommitmentReport(TRANSACTION, tuple(TWO), ())
    assert sink.kept == [answer.report]
    assert sink.reporting == ["ARCHIVE"]
    assert archive.requests == [TRANSACTION]
    assert archive.answers == [0x0000]


def test_an_instance_the_archive_does_not_hold_is_reported_as_failed() -> None:
    with running_archive(holds={"2.25.1"}) as archive:
        answer = ask(archive)
    assert answer.report is not None
    assert answer.report.committed == (TWO[0],)
    assert answer.report.failed == (Failed(TWO[1], 0x0112),)
    assert answer.report.failed[0].code == "NO_SUCH_INSTANCE"


def test_an_archive_that_reports_later_has_accepted_all_the_same() -> None:
    with running_archive(reports=Reports.NEVER) as archive:
        answer = ask(archive, wait_s=0.3)
    assert (answer.outcome, answer.report) == (Outcome.SENT, None)


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (0x0110, Outcome.RETRY, "PROCESSING_FAILURE"),
        (0x0213, Outcome.RETRY, "OUT_OF_RESOURCES"),
        (0xA700, Outcome.RETRY, "OUT_OF_RESOURCES"),
        (0x0122, Outcome.REFUSED, "SOP_CLASS_NOT_SUPPORTED"),
        (0x0124, Outcome.REFUSED, "NOT_AUTHORISED"),
        (0x0111, Outcome.REFUSED, "UNKNOWN_STATUS"),
        (0x0131, Outcome.RETRY, "DUPLICATE_TRANSACTION"),
    ],
)
def test_a_refused_request_says_whether_asking_again_can_help(status: int, outcome: Outcome, code: str) -> None:
    with running_archive(n_action_status=status) as archive:
        answer = ask(archive)
    assert (answer.outcome, answer.status, answer.code) == (outcome, status, code)


def test_a_request_accepted_with_a_warning_is_accepted() -> None:
    with running_archive(n_action_status=0xB000) as archive:
        answer = ask(archive, wait_s=0.1)
    assert (answer.outcome, answer.code) == (Outcome.SENT, "ACCEPTED")


def test_a_node_without_storage_commitment_refuses() -> None:
    with running_archive(commits=False) as archive:
        answer = ask(archive)
    assert (answer.outcome, answer.status, answer.code) == (Outcome.REFUSED, None, "SOP_CLASS_NOT_ACCEPTED")


def test_an_archive_that_dies_before_its_report_leaves_the_request_accepted() -> None:
    with running_archive(reports=Reports.DIES) as archive:
        answer = ask(archive)
    assert (answer.outcome, answer.report) == (Outcome.SENT, None)


def test_garbage_in_the_report_is_refused_and_not_recorded() -> None:
    sink = RecordingSink()
    with running_archive(reports=Reports.GARBAGE) as archive:
        answer = ask(archive, sink, wait_s=0.5)
    assert (answer.outcome, answer.report, sink.kept) == (Outcome.SENT, None, [])
    assert archive.answers == [0x0115]


def test_a_report_that_cannot_be_recorded_is_not_answered_success() -> None:
    with running_archive() as archive:
        answer = ask(archive, RecordingSink(fails=True), wait_s=0.5)
    assert answer.report is None
    assert archive.answers == [0xA700]


def test_an_archive_that_is_down_or_silent_is_asked_again_later() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        down = ask(Peer("PACS", "127.0.0.1", silent.getsockname()[1]))
        silent.listen()
        mute = ask(Peer("PACS", "127.0.0.1", silent.getsockname()[1]), timeout_s=0.5)
    assert (down.outcome, down.code) == (Outcome.RETRY, "CONNECTION_FAILED")
    assert (mute.outcome, mute.code) == (Outcome.RETRY, "ASSOCIATION_FAILED")


@pytest.mark.parametrize("wait_s", [0.05, 0.1, 0.15, 0.2])
def test_a_report_sent_while_we_release_holds_nobody_for_long(wait_s: float) -> None:
    begun = time.monotonic()
    with running_archive(delay_s=0.05) as archive:
        answer = ask(archive, wait_s=wait_s)
    assert answer.outcome is Outcome.SENT
    assert time.monotonic() - begun < 8


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    with running_archive() as archive:
        for _ in range(3):
            ask(archive)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.startswith(("AcceptorThread", "RequestorThread")):
            thread.join(5)
    assert threading.active_count() <= before
