"""Receiving one instance: what is kept, what is recorded, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_node.callers import Callers
from dicom_node.errors import RefusedObject
from dicom_node.intake import Intake, Limits
from service.errors import RegistryUnavailableError, StoreFullError, TransientError
from service.instance_store import InstanceStore
from service.registry.instances import Reception
from service.registry.job_states import JobState
from tests.dicom_node.factories import chest, radiograph
from tests.dicom_node.running_node import (
    Installation,
    as_received,
    encoded,
    installation,
    unreachable_registry,
)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


def files(installed: Installation) -> list[str]:
    root = installed.intake.store.root
    return sorted(str(path.relative_to(root).parts[0]) for path in root.rglob("*.dcm"))


def test_a_chest_radiograph_is_kept_recorded_and_queued(installed: Installation) -> None:
    received = as_received(radiograph())
    receipt = installed.intake.receive(received)
    [instance], [job] = installed.instances(), installed.jobs()
    assert receipt.reception is Reception.NEW
    assert receipt.reason_code is None
    assert receipt.job_id == job.id
    assert job.state is JobState.QUEUED
    assert instance.eligible
    assert instance.calling_ae_title == "MODALITY"
    assert installed.store_path(instance.path).read_bytes().endswith(received.data_set)
    assert installed.queue.inferences == [job.id]


def test_the_job_is_announced_after_the_commit(installed: Installation) -> None:
    seen: list[int] = []

    class Looking:
        def announce_inference(self, job_id: str) -> bool:
            seen.append(len([job for job in installed.jobs() if job.id == job_id]))
            return True

    replace(installed.intake, queue=Looking()).receive(as_received(radiograph()))
    assert seen == [1]


@pytest.mark.parametrize(
    "dataset",
    [
        pytest.param(lambda: radiograph(BodyPartExamined="HAND", remove=("AnatomicRegionSequence",)), id="not a chest"),
        pytest.param(
            lambda: radiograph(ViewPosition="LL", PatientOrientation=["A", "F"], remove=("ViewCodeSequence",)),
            id="lateral",
        ),
        pytest.param(lambda: radiograph(NumberOfFrames=2), id="multi-frame"),
        pytest.param(lambda: radiograph(SamplesPerPixel=3, PhotometricInterpretation="RGB"), id="RGB"),
        pytest.param(lambda: radiograph(PatientAge="004Y", PatientBirthDate="20200101"), id="child"),
        pytest.param(lambda: radiograph(remove=("Rows",)), id="no Rows"),
        pytest.param(lambda: radiograph(PixelData=b""), id="empty Pixel Data"),
        pytest.param(lambda: radiograph(remove=("PixelData",)), id="no Pixel Data"),
        pytest.param(
            lambda: radiograph(ImageType=["DERIVED", "SECONDARY", "", "BONE_SUPPRESSED", "AI"]), id="our own output"
        ),
    ],
)
def test_what_is_not_ours_is_kept_with_a_reason_and_no_job(installed: Installation, dataset: object) -> None:
    made = dataset()  # type: ignore[operator]
    receipt = installed.intake.receive(as_received(made))
    [instance] = installed.instances()
    assert receipt.job_id is None
    assert receipt.reason_code == instance.reason_code != ""
    assert instance.reason_code is not None
    assert instance.reason_detail
    assert not instance.eligible
    assert installed.store_path(instance.path).is_file()
    assert installed.jobs() == []
    assert installed.queue.inferences == []


def test_the_same_instance_again_changes_nothing(installed: Installation) -> None:
    received = as_received(radiograph())
    installed.intake.receive(received)
    again = installed.intake.receive(received)
    assert (again.reception, again.job_id) == (Reception.SAME, None)
    assert len(installed.instances()) == len(installed.jobs()) == len(installed.queue.inferences) == 1
    assert files(installed) == ["source"]


def test_the_same_instance_again_brings_back_a_file_that_was_lost(installed: Installation) -> None:
    received = as_received(radiograph())
    installed.intake.receive(received)
    path = installed.store_path(installed.instances()[0].path)
    path.unlink()
    installed.intake.receive(received)
    assert path.read_bytes().endswith(received.data_set)


def with_other_pixels(dataset: Dataset) -> Dataset:
    return radiograph(pixels=1.0 - chest(), SOPInstanceUID=dataset.SOPInstanceUID)


def test_a_known_uid_with_other_pixels_goes_into_quarantine_and_the_first_stays(installed: Installation) -> None:
    first = radiograph()
    other = as_received(with_other_pixels(first))
    installed.intake.receive(as_received(first))
    receipt = installed.intake.receive(other)
    [instance], [rejection] = installed.instances(), installed.rejections()
    assert receipt.reception is Reception.CONFLICT
    assert installed.store_path(instance.path).read_bytes().endswith(encoded(first))
    assert rejection.reason_code == "DUPLICATE_UID"
    assert rejection.path is not None
    assert rejection.path.startswith("quarantine/")
    assert installed.store_path(rejection.path).read_bytes().endswith(other.data_set)
    assert len(installed.jobs()) == 1


def test_simultaneous_duplicates_become_one_instance_and_one_job(installed: Installation) -> None:
    first = radiograph()
    both = [as_received(first), as_received(with_other_pixels(first))]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(installed.intake.receive, both * 4))
    assert [receipt.reception for receipt in receipts].count(Reception.NEW) == 1
    assert [receipt.reception for receipt in receipts].count(Reception.CONFLICT) == 4
    assert len(installed.instances()) == len(installed.jobs()) == 1


def refused(intake: Intake, dataset: Dataset, data_set: bytes | None = None) -> RefusedObject:
    with pytest.raises(RefusedObject) as caught:
        intake.receive(as_received(dataset, data_set))
    return caught.value


def test_a_truncated_data_set_is_refused_and_recorded(installed: Installation) -> None:
    dataset = radiograph()
    assert refused(installed.intake, dataset, encoded(dataset)[:-4096]).dimse_status == 0xC000
    [rejection] = installed.rejections()
    assert rejection.reason_code == "DATA_SET_TRUNCATED"
    assert rejection.calling_ae_title == "MODALITY"
    assert rejection.path is None
    assert installed.instances() == []
    assert files(installed) == []


def test_an_instance_larger_than_accepted_is_refused(installed: Installation) -> None:
    intake = replace(installed.intake, limits=Limits(max_instance_bytes=1000, max_queue_depth=10))
    assert refused(intake, radiograph()).code == "INSTANCE_TOO_LARGE"


def test_a_caller_removed_during_its_association_is_not_authorised(installed: Installation) -> None:
    intake = replace(installed.intake, callers=Callers(installed.sessions))
    with pytest.raises(RefusedObject) as caught:
        intake.receive(as_received(radiograph(), calling_ae_title="STRANGER"))
    assert caught.value.dimse_status == 0x0124


def transient(intake: Intake) -> TransientError:
    with pytest.raises(TransientError) as caught:
        intake.receive(as_received(radiograph()))
    return caught.value


def test_a_low_disk_asks_the_sender_to_come_back(installed: Installation) -> None:
    store = InstanceStore(installed.intake.store.root, min_free_bytes=1 << 60)
    error = transient(replace(installed.intake, store=store))
    assert isinstance(error, StoreFullError)
    assert installed.instances() == []


def test_a_disk_that_fills_while_writing_leaves_nothing_behind(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> object:
        raise StoreFullError("STORE_FULL", "no room")

    monkeypatch.setattr(installed.intake.store, "keep", full)
    assert transient(installed.intake).code == "STORE_FULL"
    assert installed.instances() == []


def test_a_full_queue_asks_the_sender_to_come_back(installed: Installation) -> None:
    intake = replace(installed.intake, limits=Limits(max_instance_bytes=1 << 30, max_queue_depth=1))
    intake.receive(as_received(radiograph()))
    with pytest.raises(TransientError) as caught:
        intake.receive(as_received(radiograph(pixels=np.zeros((1100, 1100), np.float32))))
    assert caught.value.code == "QUEUE_FULL"


def test_a_node_that_is_shutting_down_asks_the_sender_to_come_back(installed: Installation) -> None:
    installed.intake.shutting_down.set()
    assert transient(installed.intake).code == "SHUTTING_DOWN"


def test_a_registry_that_is_down_asks_the_sender_to_come_back(installed: Installation, tmp_path: Path) -> None:
    sessions = unreachable_registry(tmp_path)
    down = replace(installed.intake, sessions=sessions, callers=Callers(sessions))
    assert isinstance(transient(down), RegistryUnavailableError)
