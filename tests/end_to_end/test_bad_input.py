"""Bad input through a whole running service: each leaves its record, and the next good image is delivered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.store_scu import Outcome, Peer, StoreResult, send
from service.registry import queries
from service.registry.job_states import JobState
from tests.radiographs import phantom_file, write
from tests.service_process import Service, installation, wait_for

pytestmark = pytest.mark.slow


def lateral(dataset: Dataset) -> None:
    dataset.ViewPosition = "LL"
    dataset.ViewCodeSequence[0].CodeValue = "399198007"
    dataset.ViewCodeSequence[0].CodeMeaning = "right lateral"
    dataset.PatientOrientation = ["A", "F"]


def hand(dataset: Dataset) -> None:
    dataset.BodyPartExamined = "HAND"
    del dataset.AnatomicRegionSequence


def multi_frame(dataset: Dataset) -> None:
    dataset.NumberOfFrames = 2


def colour(dataset: Dataset) -> None:
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"


def without_rows(dataset: Dataset) -> None:
    del dataset.Rows


def without_pixels(dataset: Dataset) -> None:
    dataset.PixelData = b""


def huge(dataset: Dataset) -> None:
    dataset.Rows = dataset.Columns = 65535
    dataset.PixelData = b"\0" * 1024


def monochrome1_lie(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.PresentationLUTShape = "INVERSE"


def too_short(dataset: Dataset) -> None:
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]


# What arrives, and the reason code that its record must carry.
CASES: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "a lateral view": (lateral, "VIEW_NOT_FRONTAL"),
    "another body part": (hand, "NOT_CHEST"),
    "several frames": (multi_frame, "MULTI_FRAME"),
    "colour": (colour, "NOT_GRAYSCALE"),
    "no Rows": (without_rows, "ATTRIBUTE_MISSING"),
    "empty pixel data": (without_pixels, "PIXEL_DATA_MISSING"),
    "65535 x 65535 in a kilobyte": (huge, "MATRIX_TOO_LARGE"),
    "MONOCHROME1 that is none": (monochrome1_lie, "POLARITY_SUSPECT"),
    "half of the pixels": (too_short, "PIXEL_DATA_TRUNCATED"),
}


def send_one(service: Service, path: Path, calling: str = "MODALITY") -> StoreResult:
    node = Peer(service.settings.ae_title, "127.0.0.1", service.settings.dicom_port)
    [result] = send([path], node, calling_ae_title=calling, timeout_s=30)
    return result


def reason(service: Service, path: Path) -> str | None:
    """The reason code that the registry holds for the instance in `path`: of its refusal, or of its failed job."""
    sent = dcmread(path, stop_before_pixels=True)
    with service.sessions() as session:
        study = queries.study_detail(session, sent.StudyInstanceUID)
    for row in study.instances if study is not None else ():
        if row.sop_instance_uid == sent.SOPInstanceUID:
            if row.job is not None and row.job.state is JobState.FAILED:
                return row.job.reason_code
            return row.reason_code
    return None


def test_each_bad_image_has_its_record_and_the_next_good_one_is_delivered(tmp_path: Path) -> None:
    patient = dcmread(phantom_file(tmp_path))
    patient.PatientName, patient.PatientID, patient.PatientBirthDate = "DOE^JANE", "PID-4711", "19610203"
    good = write(tmp_path / "good.dcm", patient)
    bad: dict[str, Path] = {}
    for number, (name, (spoil, _)) in enumerate(CASES.items()):
        dataset = dcmread(good)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        spoil(dataset)
        bad[name] = write(tmp_path / f"bad-{number}.dcm", dataset)
    other_pixels = dcmread(good)
    other_pixels.PixelData = bytes(reversed(other_pixels.PixelData))
    conflicting = write(tmp_path / "conflict.dcm", other_pixels)

    with StandInPacs(tmp_path / "pacs") as pacs, installation(tmp_path / "softray") as service:
        service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
        service.add_node("pacs", pacs.ae_title, pacs.port, may_send=False, receives_results=True)
        service.start("up")
        for name, path in bad.items():
            result = send_one(service, path)
            assert (result.outcome, result.status) == (Outcome.SENT, 0), name
        assert send_one(service, good, calling="STRANGER").outcome is Outcome.RETRY
        assert send_one(service, good).status == 0
        assert send_one(service, good).status == 0
        assert send_one(service, conflicting).status == 0

        found = {
            name: wait_for(f"a record of {name}", partial(reason, service, path), 120) for name, path in bad.items()
        }
        assert found == {name: code for name, (_, code) in CASES.items()}
        with service.sessions() as session:
            rejections = [row.reason_code for row in queries.list_rejections(session)]
        assert rejections == ["DUPLICATE_UID"]
        wait_for("the good image in the PACS", lambda: len(pacs.files()) == 1, 120)
        assert all(process.poll() is None for process in service.processes.values())
        log = service.logs()
        assert [secret for secret in ("DOE", "JANE", "PID-4711", "19610203") if secret in log] == []
        assert "part_ended" not in log
