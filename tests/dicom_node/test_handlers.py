"""Statuses on the wire: real associations, every answer the node can give, and the node alive after each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage

from dicom_node.application_entity import Node
from dicom_node.callers import Callers
from dicom_node.intake import Intake
from dicom_node.received_instance import ReceivedInstance
from dicom_node.store_scu import Peer, echo
from service.instance_store import InstanceStore
from service.registry import instances
from tests.dicom_node.factories import chest, radiograph
from tests.dicom_node.running_node import (
    MODALITY,
    Installation,
    as_received,
    associate,
    c_store,
    c_store_over,
    dataset_only,
    encoded,
    installation,
    listening,
    unreachable_registry,
)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed) as running:
        yield running
        assert_alive(running)


def assert_alive(node: Node) -> None:
    assert echo(Peer("SOFTRAY", "127.0.0.1", node.port), calling_ae_title=MODALITY).ok


def test_success_is_returned_once_the_instance_is_kept(node: Node, installed: Installation) -> None:
    received = as_received(radiograph())
    answer = c_store(node.port, received)
    assert answer.Status == 0x0000
    assert "ErrorComment" not in answer
    [instance] = installed.instances()
    kept = installed.store_path(instance.path).read_bytes()
    assert kept == b"".join(received.file_parts())


def test_a_truncated_data_set_is_cannot_understand(node: Node) -> None:
    dataset = radiograph()
    answer = c_store(node.port, as_received(dataset, encoded(dataset)[:-10]))
    assert answer.Status == 0xC000
    assert answer.ErrorComment.startswith("DATA_SET_TRUNCATED: expected ")
    assert len(answer.ErrorComment) <= 64


def test_a_data_set_without_study_uid_is_cannot_understand(node: Node) -> None:
    dataset = radiograph(remove=("StudyInstanceUID",))
    answer = c_store(node.port, as_received(dataset))
    assert answer.Status == 0xC000
    assert answer.ErrorComment == "UID_MISSING: expected StudyInstanceUID, found none"


def test_a_deeply_nested_sequence_is_cannot_understand(node: Node) -> None:
    dataset = radiograph()
    inner = Dataset()
    for _ in range(60):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([inner])
        inner = outer
    dataset.ReferencedSeriesSequence = inner.ReferencedSeriesSequence
    answer = c_store(node.port, as_received(dataset))
    assert answer.Status == 0xC000
    assert answer.ErrorComment.startswith("SEQUENCE_TOO_DEEP")


def test_a_png_sent_as_a_data_set_is_cannot_understand(node: Node) -> None:
    picture = BytesIO()
    Image.fromarray((chest() * 255).astype(np.uint8)).save(picture, "PNG")
    answer = c_store(node.port, as_received(radiograph(), picture.getvalue()))
    assert answer.Status == 0xC000
    assert answer.ErrorComment.startswith("DATA_SET_UNREADABLE")


def test_an_empty_data_set_is_cannot_understand(node: Node) -> None:
    assert c_store(node.port, as_received(radiograph(), b"")).Status == 0xC000


def test_another_sop_class_than_negotiated_does_not_match(node: Node) -> None:
    received = as_received(radiograph(), sop_class_uid=ComputedRadiographyImageStorage)
    answer = c_store(node.port, received)
    assert answer.Status == 0xA900
    assert answer.ErrorComment.startswith("SOP_CLASS_MISMATCH")


def test_a_refused_instance_does_not_spoil_the_association_for_the_next(node: Node, installed: Installation) -> None:
    dataset = radiograph()
    association = associate(node.port, [dataset.SOPClassUID])
    assert c_store_over(association, as_received(dataset, encoded(dataset)[:-10])).Status == 0xC000
    assert c_store_over(association, as_received(dataset)).Status == 0x0000
    association.release()
    assert len(installed.instances()) == 1


def test_what_is_not_a_chest_is_success_with_a_reason_on_record(node: Node, installed: Installation) -> None:
    hand = radiograph(BodyPartExamined="HAND", remove=("AnatomicRegionSequence",))
    assert c_store(node.port, as_received(hand)).Status == 0x0000
    [instance] = installed.instances()
    assert not instance.eligible
    assert instance.reason_code


def test_a_known_uid_with_other_pixels_is_success_and_a_rejection_on_record(
    node: Node, installed: Installation
) -> None:
    first = radiograph()
    other = radiograph(pixels=1.0 - chest(), SOPInstanceUID=first.SOPInstanceUID)
    assert c_store(node.port, as_received(first)).Status == 0x0000
    assert c_store(node.port, as_received(other)).Status == 0x0000
    assert [rejection.reason_code for rejection in installed.rejections()] == ["DUPLICATE_UID"]


def answer_of(installed: Installation, **intake_changes: object) -> Dataset:
    with listening(installed, **intake_changes) as node:
        answer = c_store(node.port, as_received(radiograph()))
        assert_alive(node)
        return answer


def test_a_low_disk_is_out_of_resources(installed: Installation) -> None:
    answer = answer_of(installed, store=InstanceStore(installed.intake.store.root, min_free_bytes=1 << 60))
    assert answer.Status == 0xA700
    assert answer.ErrorComment.startswith("DISK_LOW")


def test_success_is_not_returned_when_the_registry_is_down(installed: Installation, tmp_path: Path) -> None:
    sessions = unreachable_registry(tmp_path)
    answer = answer_of(installed, sessions=sessions, callers=Callers(sessions))
    assert answer.Status == 0xA700
    assert answer.ErrorComment.startswith("REGISTRY_UNAVAILABLE")


def test_success_is_not_returned_when_the_registry_goes_down_after_the_file_is_written(
    installed: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = unreachable_registry(tmp_path)

    def failing(*_: object, **__: object) -> object:
        with down() as session:
            return session.connection()

    monkeypatch.setattr(instances, "record_instance", failing)
    assert answer_of(installed).Status == 0xA700
    monkeypatch.undo()
    assert answer_of(installed).Status == 0x0000
    assert len(installed.instances()) == 1


def test_an_exception_that_nobody_foresaw_is_a_processing_failure_without_its_text(
    installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Intake):
        def receive(self, received: ReceivedInstance) -> None:  # type: ignore[override]
            raise KeyError("Doe^Jane")

    broken = Broken(**{each.name: getattr(installed.intake, each.name) for each in fields(Intake) if each.init})
    with caplog.at_level(logging.INFO), listening(replace(installed, intake=broken)) as node:
        answer = c_store(node.port, as_received(radiograph()))
    assert answer.Status == 0x0110
    assert answer.ErrorComment == "INTERNAL_ERROR"
    assert "Jane" not in str([vars(record) for record in caplog.records])
    assert any("builtins.KeyError" in str(vars(record)) for record in caplog.records)


def test_neither_log_nor_comment_names_the_patient(
    node: Node, installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = radiograph(PatientName="Doe^Jane", PatientID="SECRET-ID")
    with caplog.at_level(logging.DEBUG, logger="dicom_node"):
        answers = [
            c_store(node.port, as_received(dataset, encoded(dataset)[:-10])),
            c_store(node.port, as_received(dataset)),
            c_store(node.port, as_received(dataset_only(dataset), sop_instance_uid="1.2.3")),
        ]
    said = str([vars(r) for r in caplog.records if r.name.startswith("dicom_node")]) + str(answers)
    said += str([(r.reason_code, r.detail) for r in installed.rejections()])
    assert "instance_received" in said
    assert "Jane" not in said
    assert "SECRET" not in said
