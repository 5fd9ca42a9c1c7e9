"""`softray suppress`, file to file, with the shipped default."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.pixels import read_source
from service.cli import app
from tests.dicom_validation import assert_consistent, assert_valid
from tests.radiographs import phantom, phantom_file, write
from worker.image_files import write_display_png

pytestmark = pytest.mark.slow
MOST_MEMORY_MIB = 4096
runner = CliRunner()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_dicom_file_becomes_its_valid_companion_with_less_bone(tmp_path: Path) -> None:
    source = phantom_file(tmp_path)
    answer = runner.invoke(app, ["suppress", str(source), "out/soft.dcm"])
    assert answer.exit_code == 0, answer.output
    target = tmp_path / "out" / "soft.dcm"
    assert_valid(target)
    assert_consistent(source, target)
    made, soft = phantom(1024), read_source(dcmread(target)).display
    lungs = (slice(250, 700), slice(200, 850))
    bone, left = made.bone[lungs], (soft - made.soft_tissue)[lungs]
    bone, left = bone - bone.mean(), left - left.mean()
    # The share of the phantom's exactly known bone that is still there.
    assert float((left * bone).sum() / (bone * bone).sum()) < 0.7


def test_the_same_file_gives_the_same_bytes_twice_but_for_the_time(tmp_path: Path) -> None:
    source = phantom_file(tmp_path)
    for name in ("a.dcm", "b.dcm"):
        assert runner.invoke(app, ["suppress", str(source), name]).exit_code == 0
    first, second = (dcmread(tmp_path / name) for name in ("a.dcm", "b.dcm"))
    assert first.SOPInstanceUID == second.SOPInstanceUID
    assert first.PixelData == second.PixelData


def test_a_png_becomes_a_16_bit_png(tmp_path: Path) -> None:
    write_display_png(tmp_path / "in.png", phantom(1024).radiograph)
    answer = runner.invoke(app, ["suppress", "in.png", "soft.png", "--bone", "bone.png"])
    assert answer.exit_code == 0, answer.output
    for name in ("soft.png", "bone.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.mode.startswith("I")
            assert len(np.unique(np.asarray(picture))) > 1000


def test_what_the_gate_refuses_needs_force(tmp_path: Path) -> None:
    lateral = dcmread(phantom_file(tmp_path))
    lateral.ViewPosition = "LL"
    del lateral.ViewCodeSequence
    lateral.PatientOrientation = ["A", "F"]
    source = write(tmp_path / "lateral.dcm", lateral)
    refused = runner.invoke(app, ["suppress", str(source), "out.dcm"])
    assert refused.exit_code == 1
    assert "VIEW_NOT_FRONTAL" in refused.output
    assert not (tmp_path / "out.dcm").exists()
    assert runner.invoke(app, ["suppress", str(source), "out.dcm", "--force"]).exit_code == 0


def test_a_small_picture_is_refused_with_its_size_and_may_be_forced(tmp_path: Path) -> None:
    write_display_png(tmp_path / "small.png", phantom(300).radiograph)
    refused = runner.invoke(app, ["suppress", "small.png", "soft.png"])
    assert refused.exit_code == 1
    assert "MATRIX_TOO_SMALL: expected sides of at least 1000, found 300 × 300" in refused.output
    assert "--force" in refused.output
    assert not (tmp_path / "soft.png").exists()
    forced = runner.invoke(app, ["suppress", "small.png", "soft.png", "--force"])
    assert forced.exit_code == 0, forced.output
    with Image.open(tmp_path / "small.png") as before, Image.open(tmp_path / "soft.png") as after:
        assert after.size == before.size == (300, 300)
        assert np.abs(np.asarray(after, np.float64) - np.asarray(before, np.float64)).max() > 0


def test_the_largest_radiographs_fit_into_bounded_memory(tmp_path: Path) -> None:
    """6000 px is past every detector on the market. In a process of its own, whose peak the system tells."""
    write_display_png(tmp_path / "large.png", np.kron(phantom(1000).radiograph, np.ones((6, 6), np.float32)))
    command = [sys.executable, "-m", "service.cli", "suppress", "large.png", "soft.png"]
    process = subprocess.Popen(command, env={**os.environ, "SOFTRAY_DEVICE": "cpu"})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    peak_mib = usage.ru_maxrss / 1024
    print(f"peak memory {peak_mib:.0f} MiB")
    assert peak_mib < MOST_MEMORY_MIB
    with Image.open(tmp_path / "soft.png") as picture:
        assert picture.size == (6000, 6000)


def test_a_picture_that_lies_on_its_side_is_refused_although_its_header_is_silent_about_it(tmp_path: Path) -> None:
    write_display_png(tmp_path / "in.png", np.ascontiguousarray(np.rot90(phantom(1024).radiograph)))
    answer = runner.invoke(app, ["suppress", "in.png", "soft.png"])
    assert answer.exit_code == 1
    assert "IMAGE_NOT_UPRIGHT" in answer.output
    assert not (tmp_path / "soft.png").exists()
    assert runner.invoke(app, ["suppress", "in.png", "soft.png", "--force"]).exit_code == 0
