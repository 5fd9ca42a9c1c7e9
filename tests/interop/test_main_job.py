"""The main job with real peers: DCMTK's storescu sends, softray computes, Orthanc keeps the series."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from dicom_node.pixels import read_source
from models.metrics import score
from service.registry.job_states import JobState
from tests.dicom_validation import assert_consistent, assert_valid
from tests.peers.orthanc import Orthanc
from tests.radiographs import phantom_file, real_file
from tests.service_process import Service, installation, wait_for
from worker.image_files import write_comparison_png

pytestmark = [pytest.mark.interop, pytest.mark.slow]


def storescu(service: Service, path: Path, calling: str = "MODALITY") -> None:
    if shutil.which("storescu") is None:
        pytest.skip("DCMTK's storescu is not installed")
    subprocess.run(
        ["storescu", "-aet", calling, "-aec", "SOFTRAY", "127.0.0.1", str(service.settings.dicom_port), str(path)],
        check=True,
        capture_output=True,
        timeout=60,
    )


def deliver_through(service: Service, orthanc: Orthanc, source: Path, folder: Path) -> Path:
    """Send `source`, wait for the result, and return it as Orthanc hands it out."""
    service.add_node("modality", "MODALITY", 104, may_send=True, receives_results=False)
    service.add_node("orthanc", orthanc.ae_title, orthanc.dicom_port, may_send=False, receives_results=True)
    storescu(service, source)
    job = service.detail(service.wait_for_job(JobState.DELIVERED).job_id)
    assert job.soft_tissue is not None
    made = job.soft_tissue.sop_instance_uid
    [found] = wait_for("the instance in Orthanc", lambda: orthanc.find_instances(made), 20)
    returned = folder / "returned.dcm"
    returned.write_bytes(orthanc.download(found))
    return returned


def assert_is_the_soft_tissue_companion(source_path: Path, returned_path: Path) -> None:
    source, returned = dcmread(source_path), dcmread(returned_path)
    assert returned.StudyInstanceUID == source.StudyInstanceUID
    assert returned.SeriesInstanceUID != source.SeriesInstanceUID
    assert (returned.Rows, returned.Columns, returned.BitsStored) == (source.Rows, source.Columns, 14)
    assert "BONE_SUPPRESSED" in returned.ImageType
    assert (returned.WindowCenter, returned.WindowWidth) == (source.WindowCenter, source.WindowWidth)
    assert not (read_source(returned).stored == read_source(source).stored).all()
    assert_valid(returned_path)
    assert_consistent(source_path, returned_path)


def test_storescu_to_orthanc_with_redis_and_postgresql(
    tmp_path: Path, redis_url: str, postgres_url: str, orthanc: Orthanc
) -> None:
    source = phantom_file(tmp_path, side=2021)
    with installation(tmp_path / "softray", DATABASE_URL=postgres_url, BROKER_URL=redis_url) as service:
        service.start("node", "gpu", "network")
        returned = deliver_through(service, orthanc, source, tmp_path)
    assert_is_the_soft_tissue_companion(source, returned)


def test_storescu_to_orthanc_with_the_embedded_default(tmp_path: Path, orthanc: Orthanc) -> None:
    source = phantom_file(tmp_path)
    with installation(tmp_path / "softray") as service:
        service.start("up")
        returned = deliver_through(service, orthanc, source, tmp_path)
    assert_is_the_soft_tissue_companion(source, returned)


def test_a_real_radiograph_goes_the_same_way(tmp_path: Path, shared: Path, orthanc: Orthanc) -> None:
    source = real_file(shared, tmp_path)
    with installation(tmp_path / "softray") as service:
        service.start("up")
        returned = deliver_through(service, orthanc, source, tmp_path)
    assert_is_the_soft_tissue_companion(source, returned)
    before, after = read_source(dcmread(source)).display, read_source(dcmread(returned)).display
    with Image.open(shared / "data" / "pairs" / "soft_tissue" / "0.png") as picture:
        truth = np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255.0)
    scores = score(after, before, truth)
    assert scores.psnr_db >= 29.5
    assert scores.bone_left <= 0.5
    assert scores.detail_kept >= 0.6
    write_comparison_png(tmp_path / "comparison.png", before, before - after, 1024)
    assert (tmp_path / "comparison.png").stat().st_size > 0
