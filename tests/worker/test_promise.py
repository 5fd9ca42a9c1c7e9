"""Committing to what we hold: judged when it is reported, over an association of our own to the one who asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]
from sqlalchemy import select

from dicom_node.commitment_handlers import on_n_event_report
from dicom_node.commitment_registry import RegistryPromises
from dicom_node.commitment_report import CommitmentReport, Reference
from service.instance_store import Kind
from service.registry.commitment_promises import NoPromise, record_promise
from service.registry.instances import record_instance
from service.registry.promise_table import CommitmentPromise
from service.registry.remote_nodes import ANY_HOST, add_remote_node
from tests.service.registry.factories import Verdict, facts
from worker.context import WorkerContext
from worker.promise import keep_promises

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
NOW = datetime.now(UTC)


@dataclass
class Modality:
    """Takes reports and answers `status`."""

    port: int = 0
    status: int = 0x0000
    with_roles: bool = True
    reports: list[CommitmentReport] = field(default_factory=list)

    def record(self, report: CommitmentReport, reporting_ae_title: str) -> int:
        assert reporting_ae_title == "SOFTRAY"
        self.reports.append(report)
        return self.status

    def on_report(self, event: Event) -> tuple[int, None]:
        return on_n_event_report(event, self)


@contextlib.contextmanager
def running_modality(**changes: object) -> Iterator[Modality]:
    modality = Modality(**changes)  # type: ignore[arg-type]
    entity = AE(ae_title="MODALITY")
    roles = (False, True) if modality.with_roles else (None, None)
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=roles[0], scp_role=roles[1])
    server = entity.start_server(
        ("127.0.0.1", modality.port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, modality.on_report)]
    )
    assert server is not None
    modality.port = server.server_address[1]
    try:
        yield modality
    finally:
        server.shutdown()
        entity.shutdown()


def add_modality(context: WorkerContext, modality: Modality) -> None:
    with context.sessions.begin() as session:
        add_remote_node(
            session,
            name="modality",
            ae_title="MODALITY",
            host="127.0.0.1",
            port=modality.port,
            may_send=True,
            receives_results=False,
            now=NOW,
        )


def keep(context: WorkerContext, uid: str, content: bytes = b"an image") -> str:
    stored = context.store.keep(Kind.SOURCE, [content + uid.encode()])
    with context.sessions.begin() as session:
        record_instance(
            session,
            facts(sop_instance_uid=uid),
            Verdict(),
            path=stored.path,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            now=NOW,
        )
    return stored.path


def ask(context: WorkerContext, *uids: str, transaction_uid: str = "2.25.1", sop_class: str = DX) -> None:
    with context.sessions.begin() as session:
        assert record_promise(session, "MODALITY", transaction_uid, [(sop_class, uid) for uid in uids], now=NOW)


def promises(context: WorkerContext) -> list[CommitmentPromise]:
    with context.sessions() as session:
        return list(session.scalars(select(CommitmentPromise).order_by(CommitmentPromise.id)))


def judged(report: CommitmentReport) -> tuple[set[str], dict[str, int]]:
    return (
        {reference.sop_instance_uid for reference in report.committed},
        {failed.reference.sop_instance_uid: failed.reason for failed in report.failed},
    )


@pytest.mark.parametrize("with_roles", [True, False])
def test_only_what_is_held_unharmed_is_committed_to(context: WorkerContext, with_roles: bool) -> None:
    with running_modality(with_roles=with_roles) as modality:
        add_modality(context, modality)
        keep(context, "2.25.11")
        altered, gone = keep(context, "2.25.12"), keep(context, "2.25.13")
        context.store.resolve(altered).chmod(0o600)
        context.store.resolve(altered).write_bytes(b"something else")
        context.store.resolve(gone).unlink()
        ask(context, "2.25.11", "2.25.12", "2.25.13", "2.25.14")
        assert keep_promises(context) == 1
        assert keep_promises(context) == 0
    [report] = modality.reports
    assert report.transaction_uid == "2.25.1"
    assert judged(report) == ({"2.25.11"}, {"2.25.12": 0x0112, "2.25.13": 0x0112, "2.25.14": 0x0112})
    [promise] = promises(context)
    assert promise.reported_at is not None
    assert promise.reason_detail == "1 committed, 3 failed"


def test_another_sop_class_is_a_conflict(context: WorkerContext) -> None:
    with running_modality() as modality:
        add_modality(context, modality)
        keep(context, "2.25.11")
        ask(context, "2.25.11", sop_class=CR)
        keep_promises(context)
    assert judged(modality.reports[0]) == (set(), {"2.25.11": 0x0119})


def test_a_transaction_uid_used_for_other_instances_is_a_duplicate(context: WorkerContext) -> None:
    with running_modality() as modality:
        add_modality(context, modality)
        keep(context, "2.25.11")
        keep(context, "2.25.12")
        ask(context, "2.25.11")
        ask(context, "2.25.12")
        keep_promises(context)
    assert [judged(report) for report in modality.reports] == [({"2.25.11"}, {}), (set(), {"2.25.12": 0x0131})]


def test_the_same_request_again_is_reported_again(context: WorkerContext) -> None:
    with running_modality() as modality:
        add_modality(context, modality)
        ask(context, "2.25.11")
        keep_promises(context)
        keep(context, "2.25.11")
        ask(context, "2.25.11")
        keep_promises(context)
    assert [judged(report)[0] for report in modality.reports] == [set(), {"2.25.11"}]
    assert len(promises(context)) == 1


def test_a_modality_that_is_down_gets_its_report_later(context: WorkerContext) -> None:
    with running_modality() as modality:
        add_modality(context, modality)
        keep(context, "2.25.11")
        ask(context, "2.25.11")
    assert keep_promises(context) == 1
    assert keep_promises(context) == 0
    assert promises(context)[0].reason_code == "CONNECTION_FAILED"
    with running_modality(port=modality.port) as back:
        assert keep_promises(replace(context, clock=lambda: NOW + timedelta(hours=1))) == 1
    assert judged(back.reports[0])[0] == {"2.25.11"}


@pytest.mark.parametrize(("status", "closed"), [(0x0110, False), (0xA700, False), (0x0115, True)])
def test_a_report_that_is_refused_for_good_is_not_repeated(context: WorkerContext, status: int, closed: bool) -> None:
    with running_modality(status=status) as modality:
        add_modality(context, modality)
        ask(context, "2.25.11")
        keep_promises(context)
    [promise] = promises(context)
    assert (promise.closed_at is not None) is closed
    assert (promise.reported_at, promise.reason_code) == (None, "REPORT_REFUSED")


def test_a_modality_that_stays_down_is_given_up(context: WorkerContext) -> None:
    with running_modality() as modality:
        add_modality(context, modality)
        ask(context, "2.25.11")
    for hours in range(1, 6):
        keep_promises(replace(context, clock=lambda h=hours: NOW + timedelta(hours=h)))
    [promise] = promises(context)
    assert promise.closed_at is not None
    assert promise.attempts == context.delivery_retries.max_attempts


def test_nobody_unregistered_is_promised_anything(context: WorkerContext) -> None:
    with context.sessions.begin() as session:
        assert record_promise(session, "STRANGER", "2.25.1", [(DX, "2.25.11")], now=NOW) is NoPromise.UNKNOWN_NODE
    assert promises(context) == []


def test_a_node_that_may_call_from_anywhere_is_promised_nothing(
    context: WorkerContext, caplog: pytest.LogCaptureFixture
) -> None:
    with context.sessions.begin() as session:
        add_remote_node(
            session,
            name="anywhere",
            ae_title="ROAMING",
            host=ANY_HOST,
            port=104,
            may_send=True,
            receives_results=False,
            now=NOW,
        )
    with caplog.at_level("WARNING"):
        status = RegistryPromises(context.sessions).record("2.25.1", [Reference(DX, "2.25.11")], "ROAMING")
    assert status == 0x0110
    assert promises(context) == []
    assert any("commitment_not_promised" in record.getMessage() for record in caplog.records)
    with context.sessions.begin() as session:  # the same title at a known address can be reported to
        add_remote_node(
            session,
            name="modality",
            ae_title="ROAMING",
            host="127.0.0.1",
            port=104,
            may_send=True,
            receives_results=False,
            now=NOW,
        )
    assert RegistryPromises(context.sessions).record("2.25.1", [Reference(DX, "2.25.11")], "ROAMING") == 0x0000
