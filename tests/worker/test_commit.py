"""From sent to proven, over real associations with an archive that reports, misbehaves or stays silent."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.callers import Callers
from dicom_node.eligibility import EligibilityPolicy
from dicom_node.intake import Intake, Limits
from dicom_node.tls import client_context, server_context
from service.database import transaction
from service.registry import commitments, deliveries, delivery_queue
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_plan import plan_requests
from service.registry.commitment_reports import record_report
from service.registry.job_states import CommitmentState, DeliveryState, JobState
from service.registry.remote_nodes import DeliveryTerms, add_remote_node, remove_remote_node
from service.registry.tables import CommitmentRequest
from tests.dicom_node.fake_archive import FakeArchive, Reports, running_archive
from tests.dicom_node.scripted_web_peer import scripted_peer
from tests.peers.certificates import authority
from tests.service.registry.factories import derived_job, detail, result_facts
from worker.commit import follow_up
from worker.context import WorkerContext

_serial = count(1)


@pytest.fixture
def context(context: WorkerContext) -> WorkerContext:
    return replace(context, commitment=CommitmentPolicy(wait_for_report_s=0.5), network_timeout_s=3.0)


@contextlib.contextmanager
def listening_node(context: WorkerContext) -> Iterator[Node]:
    """Our node on the worker's registry."""
    intake = Intake(
        sessions=context.sessions,
        store=context.store,
        queue=context.queue,
        callers=Callers(context.sessions),
        policy=EligibilityPolicy(),
        limits=Limits(max_instance_bytes=1 << 20, max_queue_depth=1),
        shutting_down=threading.Event(),
    )
    node = Node(NodeAddress("SOFTRAY", "127.0.0.1", 0), AssociationLimits(), intake)
    node.start()
    try:
        yield node
    finally:
        node.stop(finish_s=0.5, refuse_s=0.2)


def after(context: WorkerContext, seconds: float) -> WorkerContext:
    start = context.clock()
    return replace(context, clock=lambda: start + timedelta(seconds=seconds))


def add_archive(
    context: WorkerContext, archive: FakeArchive, *, commits: bool = True, verifies: bool = False, tls: bool = False
) -> None:
    with transaction(context.sessions) as session:
        add_remote_node(
            session,
            name="archive",
            ae_title=archive.ae_title,
            host="127.0.0.1",
            port=archive.port,
            may_send=False,
            receives_results=True,
            now=context.clock(),
            terms=DeliveryTerms(requests_commitment=commits, verifies=verifies, tls=tls),
        )


def send(context: WorkerContext, *, job_id: str | None = None) -> str:
    """Mark every delivery of a job as sent; a new job unless it is given."""
    uid = f"2.25.7{next(_serial)}"
    job_id = job_id or derived_job(context.sessions, result_facts(sop_instance_uid=uid), now=context.clock())
    with transaction(context.sessions) as session:
        for delivery_id in delivery_queue.pending_deliveries(session, job_id, now=context.clock()):
            claim = deliveries.claim_delivery(session, delivery_id, owner="n", lease_s=30, now=context.clock())
            assert claim is not None
            assert deliveries.delivery_sent(session, claim, status=0, now=context.clock())
    return job_id


def states(context: WorkerContext, job_id: str) -> tuple[JobState, DeliveryState]:
    found = detail(context.sessions, job_id)
    [delivery] = found.deliveries
    return found.summary.state, delivery.state


def events(context: WorkerContext, job_id: str) -> list[str]:
    return [event.event for event in detail(context.sessions, job_id).events]


def requests(context: WorkerContext) -> list[CommitmentRequest]:
    with context.sessions() as session:
        return list(session.scalars(select(CommitmentRequest).order_by(CommitmentRequest.id)))


def catalogue_of(context: WorkerContext, job_id: str) -> Dataset:
    [result] = detail(context.sessions, job_id).results
    entry = Dataset()
    entry.SOPInstanceUID = result.sop_instance_uid
    entry.SeriesInstanceUID = result.series_instance_uid
    entry.StudyInstanceUID = detail(context.sessions, job_id).summary.study_instance_uid
    return entry


def test_several_results_are_committed_with_one_request(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        jobs = [send(context) for _ in range(3)]
        assert follow_up(context) == 0  # not yet: others may follow
        assert follow_up(after(context, 3)) == 1
        assert len(archive.requests) == 1
        assert [states(context, job) for job in jobs] == [(JobState.COMMITTED, DeliveryState.COMMITTED)] * 3
        assert follow_up(after(context, 100_000)) == 0
    [request] = requests(context)
    assert (request.state, request.transaction_uid) == (CommitmentState.REPORTED, archive.requests[0])
    assert "delivery_committed" in events(context, jobs[0])


@pytest.mark.parametrize("reports", [Reports.NEW_ASSOCIATION, Reports.TWICE])
def test_the_node_takes_the_report_over_a_new_association_or_twice(context: WorkerContext, reports: Reports) -> None:
    with listening_node(context) as node, running_archive(reports=reports, report_to=node.port) as archive:
        add_archive(context, archive)
        job = send(context)
        follow_up(after(context, 3))
        archive.settle()
    assert set(archive.answers) == {0x0000}
    assert len(archive.answers) == (2 if reports is Reports.TWICE else 1)
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.COMMITTED)
    assert events(context, job).count("delivery_committed") == 1


def test_what_the_archive_does_not_hold_is_sent_again_and_then_fails_visibly(context: WorkerContext) -> None:
    with running_archive(holds=set()) as archive:
        add_archive(context, archive)
        job = send(context)
        for attempt in range(1, 4):
            now = after(context, 100.0 * attempt)
            follow_up(now)
            assert states(context, job) == (JobState.DERIVED, DeliveryState.PENDING)
            send(now, job_id=job)
        follow_up(after(context, 1000))
    assert states(context, job) == (JobState.FAILED, DeliveryState.FAILED)
    found = detail(context.sessions, job)
    assert found.deliveries[0].reason_code == "COMMITMENT_FAILED"
    assert "NO_SUCH_INSTANCE" in (found.deliveries[0].reason_detail or "")
    assert len(set(archive.requests)) == 4


def test_only_what_failed_is_sent_again(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        kept, lost = send(context), send(context)
        archive.holds = {str(catalogue_of(context, kept).SOPInstanceUID)}
        follow_up(after(context, 3))
    assert states(context, kept) == (JobState.COMMITTED, DeliveryState.COMMITTED)
    assert states(context, lost) == (JobState.DERIVED, DeliveryState.PENDING)


@pytest.mark.parametrize("status", [0xA700, 0x0110, 0x0213])
def test_an_archive_that_is_busy_is_asked_again_under_a_fresh_transaction_uid(
    context: WorkerContext, status: int
) -> None:
    with running_archive(n_action_status=status) as archive:
        add_archive(context, archive)
        job = send(context)
        follow_up(after(context, 3))
        assert follow_up(after(context, 4)) == 0  # it is left alone for a while
        archive.n_action_status = 0
        follow_up(after(context, 100))
    assert states(context, job)[0] is JobState.COMMITTED
    assert len(set(archive.requests)) == 2


def test_an_archive_that_is_down_costs_no_transaction_uid(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        job = send(context)
    follow_up(after(context, 3))
    [request] = requests(context)
    assert (request.state, request.reason_code) == (CommitmentState.PLANNED, "CONNECTION_FAILED")
    with running_archive(port=archive.port) as back:
        follow_up(after(context, 100))
        assert back.requests == [request.transaction_uid]
    assert states(context, job)[0] is JobState.COMMITTED


@pytest.mark.parametrize("status", [0x0122, 0x0124, 0x0111])
def test_an_archive_that_refuses_is_looked_at_instead(context: WorkerContext, status: int) -> None:
    with running_archive(n_action_status=status) as archive:
        add_archive(context, archive, verifies=True)
        job = send(context)
        archive.catalogue.append(catalogue_of(context, job))
        follow_up(after(context, 3))
        assert "commitment_refused" in events(context, job)
        follow_up(after(context, 4))
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.VERIFIED)


def test_an_archive_that_neither_commits_nor_can_be_looked_at_leaves_it_at_sent(context: WorkerContext) -> None:
    with running_archive(commits=False) as archive:
        add_archive(context, archive)
        job = send(context)
        for seconds in (3, 4, 5, 100_000, 200_000):
            follow_up(after(context, seconds))
    assert states(context, job) == (JobState.DELIVERED, DeliveryState.SENT)
    assert events(context, job)[-2:] == ["commitment_refused", "commitment_not_followed"]


def test_a_node_that_is_never_asked_can_be_looked_at(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive, commits=False, verifies=True)
        job = send(context)
        archive.catalogue.append(catalogue_of(context, job))
        follow_up(after(context, 3))
    assert archive.requests == []
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.VERIFIED)


def add_web_service(context: WorkerContext, url: str) -> None:
    with transaction(context.sessions) as session:
        add_remote_node(
            session,
            name="archive",
            ae_title="WEB",
            host="127.0.0.1",
            port=80,
            may_send=False,
            receives_results=True,
            now=context.clock(),
            terms=DeliveryTerms(url=url, verifies=True),
        )


def test_a_dicomweb_service_is_looked_at_by_qido(context: WorkerContext) -> None:
    with scripted_peer() as service:
        add_web_service(context, service.url)
        job, other = send(context), send(context)
        uid = str(catalogue_of(context, job).SOPInstanceUID)
        listing = json.dumps([{"00080018": {"vr": "UI", "Value": [uid]}}]).encode()
        service.says(200, listing, **{"Content-Type": "application/dicom+json"})
        follow_up(after(context, 3))
        assert states(context, job) == (JobState.COMMITTED, DeliveryState.VERIFIED)
        assert states(context, other) == (JobState.DELIVERED, DeliveryState.SENT)
        for seconds in (100, 200):
            follow_up(after(context, seconds))
    assert states(context, other) == (JobState.DERIVED, DeliveryState.PENDING)


def test_a_dicomweb_service_that_is_busy_is_looked_at_later(context: WorkerContext) -> None:
    with scripted_peer() as service:
        add_web_service(context, service.url)
        job = send(context)
        service.says(503)
        follow_up(after(context, 3))
    assert states(context, job) == (JobState.DELIVERED, DeliveryState.SENT)
    assert requests(context)[0].reason_code == "HTTP_BUSY"


def test_an_archive_that_wants_tls_is_asked_encrypted(context: WorkerContext, tmp_path: Path) -> None:
    site = authority(tmp_path / "site")
    encrypted = replace(context, client_tls=client_context(site.issue("softray")))
    with running_archive(tls=server_context(site.issue("archive"))) as archive:
        add_archive(context, archive, tls=True)
        job = send(context)
        follow_up(after(encrypted, 3))
    assert states(context, job)[0] is JobState.COMMITTED


def test_an_archive_that_wants_tls_is_never_asked_in_the_clear(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive, tls=True)
        send(context)
        follow_up(after(context, 3))
        assert archive.requests == []
    assert requests(context)[0].reason_code == "TLS_NOT_CONFIGURED"


def test_what_is_not_listed_is_looked_for_again_before_it_is_sent_again(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive, commits=False, verifies=True)
        job = send(context)
        follow_up(after(context, 3))
        follow_up(after(context, 100))
        assert states(context, job) == (JobState.DELIVERED, DeliveryState.SENT)
        follow_up(after(context, 200))
    assert states(context, job) == (JobState.DERIVED, DeliveryState.PENDING)
    assert detail(context.sessions, job).deliveries[0].reason_code == "NOT_FOUND"


@pytest.mark.parametrize("reports", [Reports.NEVER, Reports.DIES, Reports.GARBAGE])
def test_without_a_report_in_time_the_archive_is_looked_at(context: WorkerContext, reports: Reports) -> None:
    with running_archive(reports=reports) as archive:
        add_archive(context, archive, verifies=True)
        job = send(context)
        archive.catalogue.append(catalogue_of(context, job))
        follow_up(after(context, 3))
        archive.settle()
        assert requests(context)[0].state is CommitmentState.REQUESTED
        assert follow_up(after(context, 80_000)) == 0
        follow_up(after(context, 90_000))
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.VERIFIED)
    assert "commitment_expired" in events(context, job)


def test_an_archive_without_c_find_is_asked_twice_and_then_sent_it_again(context: WorkerContext) -> None:
    with running_archive(reports=Reports.NEVER) as archive:
        add_archive(context, archive)
        job = send(context)
        for day in range(3):
            for second in (3, 4, 5):
                follow_up(after(context, day * 90_000 + second))
    assert len(set(archive.requests)) == 2
    assert states(context, job) == (JobState.DERIVED, DeliveryState.PENDING)


def test_a_late_report_on_an_expired_request_still_counts(context: WorkerContext) -> None:
    with running_archive(reports=Reports.NEVER) as archive:
        add_archive(context, archive)
        job = send(context)
        follow_up(after(context, 3))
        for second in (0, 1):
            follow_up(after(context, 90_000 + second))
        assert len(archive.requests) == 2
    assert (
        record(context, archive.requests[0], committed={str(catalogue_of(context, job).SOPInstanceUID)}) == "RECORDED"
    )
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.COMMITTED)


def test_a_report_from_before_a_resend_proves_nothing(context: WorkerContext) -> None:
    with running_archive(reports=Reports.NEVER) as archive:
        add_archive(context, archive)
        job = send(context)
        uid = str(catalogue_of(context, job).SOPInstanceUID)
        follow_up(after(context, 3))
        for second in (0, 1):
            follow_up(after(context, 90_000 + second))
        first, second_transaction = archive.requests
    assert record(context, second_transaction, failed={uid: "NO_SUCH_INSTANCE"}) == "RECORDED"
    send(after(context, 90_100), job_id=job)
    assert record(context, first, committed={uid}) == "RECORDED"
    assert states(context, job) == (JobState.DELIVERED, DeliveryState.SENT)


def test_a_second_report_and_one_on_a_strange_transaction_change_nothing(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        job = send(context)
        follow_up(after(context, 3))
    uid = str(catalogue_of(context, job).SOPInstanceUID)
    assert record(context, archive.requests[0], failed={uid: "NO_SUCH_INSTANCE"}) == "KNOWN"
    assert record(context, "2.25.1", committed={uid}) == "UNKNOWN_TRANSACTION"
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.COMMITTED)


def test_an_instance_that_the_report_leaves_out_counts_as_failed(context: WorkerContext) -> None:
    with running_archive(reports=Reports.NEVER) as archive:
        add_archive(context, archive)
        kept, left_out = send(context), send(context)
        follow_up(after(context, 3))
    record(context, archive.requests[0], committed={str(catalogue_of(context, kept).SOPInstanceUID)})
    assert states(context, kept)[1] is DeliveryState.COMMITTED
    assert detail(context.sessions, left_out).deliveries[0].reason_code == "NOT_REPORTED"


def test_a_worker_that_died_while_asking_is_replaced_by_one_with_a_fresh_transaction_uid(
    context: WorkerContext,
) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        job = send(context)
        later = after(context, 3)
        with transaction(context.sessions) as session:
            [request_id] = plan_requests(session, context.commitment, now=later.clock())
            died = commitments.claim_request(session, request_id, owner="dead", lease_s=30, now=later.clock())
        assert died is not None
        assert follow_up(after(context, 10)) == 0
        for seconds in (60, 61):
            follow_up(after(context, seconds))
        assert archive.requests != [died.transaction_uid]
        assert len(archive.requests) == 1
        # The dead one's request had reached the archive after all.
        assert record(context, died.transaction_uid, committed={"2.25.999"}) == "RECORDED"
    assert states(context, job)[0] is JobState.COMMITTED


def test_a_node_that_was_removed_is_not_asked_any_more(context: WorkerContext) -> None:
    with running_archive() as archive:
        add_archive(context, archive)
        job = send(context)
        later = after(context, 3)
        with transaction(context.sessions) as session:
            plan_requests(session, context.commitment, now=later.clock())
            remove_remote_node(session, "archive", now=later.clock())
        assert follow_up(later) == 0
        assert archive.requests == []
    assert requests(context)[0].reason_code == "DESTINATION_REMOVED"
    assert states(context, job) == (JobState.DELIVERED, DeliveryState.SENT)


def record(
    context: WorkerContext,
    transaction_uid: str,
    committed: set[str] | None = None,
    failed: dict[str, str] | None = None,
    now: datetime | None = None,
    reporting_ae_title: str = "ARCHIVE",
) -> str:
    with transaction(context.sessions) as session:
        return record_report(
            session,
            transaction_uid,
            reporting_ae_title=reporting_ae_title,
            committed=committed or set(),
            failed=failed or {},
            most_resends=3,
            now=now or context.clock(),
        )


def test_an_unexpected_error_while_asking_uses_up_the_transaction_uid_and_the_budget(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise RuntimeError("nobody knows how far it came")

    monkeypatch.setattr("worker.commit.request_commitment", break_off)
    with running_archive() as archive, caplog.at_level(logging.WARNING):
        add_archive(context, archive, verifies=True)
        job = send(context)
        for hours in range(1, context.delivery_retries.max_attempts + 1):
            follow_up(after(context, 3600.0 * hours))
        asked = requests(context)
        assert len({request.transaction_uid for request in asked}) == context.delivery_retries.max_attempts
        assert [request.reason_code for request in asked] == ["UNEXPECTED"] * len(asked)
        assert "commitment_not_asked" in events(context, job)
        assert any("commitment_step_failed" in record.getMessage() for record in caplog.records)
        archive.catalogue.append(catalogue_of(context, job))
        follow_up(after(context, 36_000))  # who cannot be asked is looked at
    assert states(context, job) == (JobState.COMMITTED, DeliveryState.VERIFIED)


def test_a_look_that_breaks_off_each_time_ends_where_somebody_sees_it(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise RuntimeError("no look")

    monkeypatch.setattr("worker.commit.look_up", break_off)
    with running_archive() as archive:
        add_archive(context, archive, commits=False, verifies=True)
        job = send(context)
        for hours in range(1, 5):
            follow_up(after(context, 3600.0 * hours))
    assert events(context, job)[-1] == "commitment_not_followed"
    assert all(request.not_before is None for request in requests(context))
