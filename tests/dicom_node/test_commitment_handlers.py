"""The listening node in storage commitment: reports over associations that archives open, and modalities' requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_role
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)
from sqlalchemy import select

from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.commitment_registry import RegistryPromises
from dicom_node.commitment_report import CommitmentReport, Failed, Reference, references
from service.database import transaction
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_plan import plan_requests
from service.registry.commitments import claim_request
from service.registry.deliveries import delivery_sent
from service.registry.job_states import DeliveryState
from service.registry.promise_table import CommitmentPromise
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.registry.tables import Delivery
from tests.dicom_node.factories import radiograph
from tests.dicom_node.fake_archive import FakeArchive
from tests.dicom_node.running_node import Installation, as_received, c_store, installation, listening
from tests.service.registry.factories import claimed_delivery, derived_job, pending, result_facts

DX = "1.2.840.10008.5.1.4.1.1.1.1"
RESULT = Reference(DX, "2.25.41")
NOW = datetime.now(UTC)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    """ARCHIVE, which may not send, has been sent one result."""
    with installation(tmp_path) as made:
        with made.sessions.begin() as session:
            add_remote_node(
                session,
                name="archive",
                ae_title="ARCHIVE",
                host="127.0.0.1",
                port=104,
                may_send=False,
                receives_results=True,
                now=NOW,
                terms=DeliveryTerms(requests_commitment=True),
            )
        yield made


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed) as running:
        yield running


def asked(installed: Installation) -> str:
    """Send a result and ask for its commitment, on record only; the Transaction UID."""
    job_id = derived_job(installed.sessions, result_facts(sop_instance_uid=RESULT.sop_instance_uid), now=NOW)
    [delivery_id] = pending(installed.sessions, job_id, now=NOW)
    claim = claimed_delivery(installed.sessions, delivery_id, now=NOW)
    with transaction(installed.sessions) as session:
        assert delivery_sent(session, claim, status=0, now=NOW)
        [request_id] = plan_requests(session, CommitmentPolicy(), now=NOW + timedelta(seconds=5))
        request = claim_request(session, request_id, owner="n", lease_s=30, now=NOW + timedelta(seconds=5))
    assert request is not None
    return request.transaction_uid


def delivery_state(installed: Installation) -> DeliveryState:
    with installed.sessions() as session:
        return session.scalars(select(Delivery.state)).one()


@pytest.mark.parametrize("role_selection", [True, False])
def test_a_report_over_a_new_association_commits_the_delivery(
    installed: Installation, node: Node, role_selection: bool
) -> None:
    archive = FakeArchive(report_to=node.port, report_with_role_selection=role_selection)
    report = CommitmentReport(asked(installed), (RESULT,), ())
    archive.send_report(report)
    archive.send_report(report)  # the answer was lost on its way
    assert archive.answers == [0x0000, 0x0000]
    assert delivery_state(installed) is DeliveryState.COMMITTED


def test_a_failure_over_a_new_association_sends_the_result_again(installed: Installation, node: Node) -> None:
    archive = FakeArchive(report_to=node.port)
    archive.send_report(CommitmentReport(asked(installed), (), (Failed(RESULT, 0x0112),)))
    assert archive.answers == [0x0000]
    assert delivery_state(installed) is DeliveryState.PENDING


def test_a_report_on_a_strange_transaction_is_answered_as_such(installed: Installation, node: Node) -> None:
    archive = FakeArchive(report_to=node.port)
    asked(installed)
    archive.send_report(CommitmentReport("2.25.1", (RESULT,), ()))
    assert archive.answers == [0x0115]
    assert delivery_state(installed) is DeliveryState.SENT


def test_an_ae_title_that_is_neither_sender_nor_asked_cannot_report(installed: Installation, node: Node) -> None:
    stranger = FakeArchive(ae_title="STRANGER", report_to=node.port)
    stranger.send_report(CommitmentReport(asked(installed), (RESULT,), ()))
    assert stranger.answers == [None]
    assert delivery_state(installed) is DeliveryState.SENT


def test_who_may_only_report_still_may_not_send(installed: Installation, node: Node) -> None:
    answer = c_store(node.port, as_received(radiograph(), calling_ae_title="ARCHIVE"))
    assert answer.Status == 0x0124
    assert installed.instances() == []


def n_action(
    port: int,
    *,
    transaction_uid: str = "2.25.5",
    instances: list[Reference] | None = None,
    calling: str = "MODALITY",
    roles: tuple[bool, bool] | None = None,
    action_type: int = 1,
    instance_uid: str = StorageCommitmentPushModelInstance,
) -> int | None:
    """The status of a request; None: the context was not accepted."""
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    entity.add_requested_context(StorageCommitmentPushModel, ExplicitVRLittleEndian)
    negotiation = [build_role(StorageCommitmentPushModel, scu_role=roles[0], scp_role=roles[1])] if roles else []
    association = entity.associate("127.0.0.1", port, ae_title="SOFTRAY", ext_neg=negotiation)
    if not association.is_established:
        return None
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = references(instances if instances is not None else [RESULT])
    try:
        answer, _ = association.send_n_action(information, action_type, StorageCommitmentPushModel, instance_uid)
    finally:
        association.release()
    return int(answer.Status)


@pytest.fixture
def committing_port(installed: Installation) -> Iterator[int]:
    node = Node(
        NodeAddress("SOFTRAY", "127.0.0.1", 0),
        AssociationLimits(),
        installed.intake,
        promises=RegistryPromises(installed.sessions),
    )
    node.start()
    yield node.port
    node.stop(finish_s=0.2, refuse_s=0.2)


def promises(installed: Installation) -> list[CommitmentPromise]:
    with installed.sessions() as session:
        return list(session.scalars(select(CommitmentPromise).order_by(CommitmentPromise.id)))


def test_by_default_a_request_for_commitment_is_refused(installed: Installation, node: Node) -> None:
    assert n_action(node.port) == 0x0122
    assert n_action(node.port, roles=(True, False)) is None
    assert promises(installed) == []


@pytest.mark.parametrize("roles", [None, (True, False), (True, True)])
def test_a_request_is_on_record_when_it_is_answered(
    installed: Installation, committing_port: int, roles: tuple[bool, bool] | None
) -> None:
    assert n_action(committing_port, roles=roles) == 0x0000
    [promise] = promises(installed)
    assert (promise.transaction_uid, promise.requested) == ("2.25.5", f"{DX}=2.25.41")
    assert (promise.closed_at, promise.duplicate) == (None, False)


def test_the_same_request_is_one_promise_and_another_under_its_uid_is_a_duplicate(
    installed: Installation, committing_port: int
) -> None:
    assert n_action(committing_port) == n_action(committing_port) == 0x0000
    assert n_action(committing_port, instances=[Reference(DX, "2.25.42")]) == 0x0000
    assert [promise.duplicate for promise in promises(installed)] == [False, True]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"transaction_uid": ""}, 0x0115),
        ({"instances": []}, 0x0115),
        ({"instances": [Reference(DX, "")]}, 0x0115),
        ({"action_type": 2}, 0x0123),
        ({"instance_uid": "1.2.3"}, 0x0112),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    installed: Installation, committing_port: int, wrong: dict[str, object], status: int
) -> None:
    assert n_action(committing_port, **wrong) == status  # type: ignore[arg-type]
    assert promises(installed) == []
