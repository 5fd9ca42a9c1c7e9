"""Who is let in: marks with a distance between them, quotas, and what others are shown of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dicom_node import admission as admission_module
from dicom_node.intake import Limits
from service.database import transaction
from service.errors import StoreFullError, TransientError
from service.registry.admission_marks import DISK, QUEUE, read_marks
from service.registry.job_states import JobState
from service.registry.tables import Job
from service.space import DiskMarks
from tests.dicom_node.factories import chest, radiograph
from tests.dicom_node.running_node import Installation, as_received, associate, c_store_over, installation, listening

NOTHING = DiskMarks(0)
FULL = DiskMarks(1 << 60)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setattr(admission_module, "COUNT_INTERVAL_S", 0.0)
    monkeypatch.setattr(admission_module, "_COUNTING_SHARE", 0.0)
    with installation(tmp_path) as ready:
        yield ready


def image(number: int) -> object:
    return radiograph(pixels=chest(1100, 1100), SOPInstanceUID=f"1.2.3.{number}")


def all_jobs_are(installed: Installation, state: JobState, but: int = 0) -> None:
    with transaction(installed.sessions) as session:
        for job in session.query(Job).order_by(Job.created_at.desc()).offset(but):
            job.state = state


def test_a_queue_that_was_full_lets_nobody_in_before_a_tenth_is_done(installed: Installation) -> None:
    intake = replace(installed.intake, limits=Limits(1 << 30, 10))
    for number in range(10):
        intake.receive(as_received(image(number)))
    with pytest.raises(TransientError, match="QUEUE_FULL"):
        intake.admission.require("MODALITY")
    all_jobs_are(installed, JobState.FAILED, but=9)
    intake.admission.require("MODALITY")
    intake.receive(as_received(image(10)))
    with pytest.raises(TransientError, match="expected at most 9 jobs, found 10"):
        intake.admission.require("MODALITY")


def test_a_disk_recovers_by_itself_with_one_event_for_each_change(
    installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    admission, space = installed.intake.admission, installed.intake.store.space
    with caplog.at_level(logging.INFO):
        space.marks = FULL
        for _ in range(3):
            with pytest.raises(StoreFullError, match="DISK_LOW"):
                admission.require("MODALITY")
        with transaction(installed.sessions) as session:
            [mark] = [row for row in read_marks(session).values() if row.refusing]
        assert (mark.name, mark.code) == (DISK, "DISK_LOW")
        space.marks = NOTHING
        admission.look()
        admission.require("MODALITY")
    events = [record.message.split()[0] for record in caplog.records]
    assert events.count("refusing_images") == events.count("accepting_images_again") == 1
    with transaction(installed.sessions) as session:
        assert not read_marks(session)[DISK].refusing


def test_a_restarted_node_goes_on_refusing_until_the_low_mark(installed: Installation) -> None:
    intake = replace(installed.intake, limits=Limits(1 << 30, 10))
    for number in range(10):
        intake.receive(as_received(image(number)))
    with pytest.raises(TransientError):
        intake.admission.require("MODALITY")
    restarted = replace(intake, limits=Limits(1 << 30, 11))  # below the high mark, above the low one
    with pytest.raises(TransientError, match="QUEUE_FULL"):
        restarted.admission.require("MODALITY")
    with transaction(installed.sessions) as session:
        assert read_marks(session)[QUEUE].refusing


def test_a_sender_beyond_its_quota_is_refused_and_others_are_not(installed: Installation) -> None:
    intake = replace(installed.intake, limits=Limits(1 << 30, 100, {"MODALITY": 3_000_000}))
    intake.receive(as_received(image(1)))
    intake.receive(as_received(image(2)))  # begun below the quota
    with pytest.raises(TransientError, match=r"QUOTA_EXCEEDED: expected at most 3000000 bytes unfinished, found \d{7}"):
        intake.receive(as_received(image(3)))
    intake.admission.require("OTHER")
    all_jobs_are(installed, JobState.DELIVERED)
    intake.receive(as_received(image(3)))


def test_nothing_is_written_for_an_image_that_is_refused_and_the_association_lives(installed: Installation) -> None:
    installed.intake.store.space.marks = FULL
    received = as_received(image(1))
    with listening(installed) as node:
        association = associate(node.port, [received.sop_class_uid])
        refused = c_store_over(association, received)
        assert (refused.Status, refused.ErrorComment.split(":")[0]) == (0xA700, "DISK_LOW")
        assert list((installed.intake.store.root / "tmp").iterdir()) == []
        installed.intake.store.space.marks = NOTHING
        assert c_store_over(association, received).Status == 0x0000
        association.release()


def test_a_disk_that_fills_under_an_image_refuses_that_one_and_the_association_lives(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = as_received(image(1))
    full = True

    def written(self: object, count: int) -> None:
        if full and count > 1000:
            raise StoreFullError("STORE_FULL", "no room left in the instance store: No space left on device")

    monkeypatch.setattr("service.space.Reservation.written", written)
    with listening(installed) as node:
        association = associate(node.port, [received.sop_class_uid])
        assert c_store_over(association, received).Status == 0xA700
        assert list((installed.intake.store.root / "tmp").iterdir()) == []
        full = False
        assert c_store_over(association, received).Status == 0x0000
        association.release()
