from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLosslessSV1

from dicom_node import gdcm_process
from dicom_node.gdcm_process import ChildFailed, decode_frame

LAYOUT = {"rows": 8, "columns": 6, "bits_stored": 12, "signed": False, "transfer_syntax_uid": JPEGLosslessSV1}


def script(folder: Path, body: str) -> str:
    """An executable that stands in for the interpreter of the child."""
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_real_frame_is_decoded(shared: Path) -> None:
    ds = pydicom.dcmread(shared / "data" / "dicom" / "RG3_JPLL")
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    layout = {**LAYOUT, "rows": ds.Rows, "columns": ds.Columns, "bits_stored": 10}
    assert np.array_equal(decode_frame(frame, **layout), ds.pixel_array)


@pytest.mark.parametrize("frame", [b"", b"not a frame", b"\xff\xd8\xff\xd9"])
def test_what_is_no_frame_is_a_failure(frame: bytes) -> None:
    with pytest.raises(ChildFailed):
        decode_frame(frame, **LAYOUT)


@pytest.mark.parametrize(
    "body",
    ["import os; os.abort()", "print('too short')", "import sys; sys.exit(3)"],
    ids=["aborts", "answers short", "fails"],
)
def test_a_child_that_dies_or_answers_short_is_a_failure(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, body))
    with pytest.raises(ChildFailed):
        decode_frame(b"x" * 100, **LAYOUT)


def test_a_child_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, "import time; time.sleep(60)"))
    monkeypatch.setattr(gdcm_process, "TIMEOUT_S", 0.5)
    with pytest.raises(ChildFailed):
        decode_frame(b"x" * 100, **LAYOUT)
