"""`softray demo --once`, as a newcomer runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.radiographs import phantom_file

pytestmark = pytest.mark.slow


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "demo", "--once", "--output", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=folder.parent,
    )


def test_the_demo_takes_the_users_radiograph_through_every_stage(tmp_path: Path) -> None:
    answer = demo(tmp_path / "out", "--input", str(phantom_file(tmp_path)))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for stage in ("received", "queued", "sampling    step 1/1", "derived", "delivered"):
        assert stage in answer.stdout
    [returned] = (tmp_path / "out" / "pacs").rglob("*.dcm")
    assert "BONE_SUPPRESSED" in dcmread(returned).ImageType
    assert (tmp_path / "out" / "original-soft-bone.png").stat().st_size > 10_000


def test_the_demo_says_why_a_picture_of_something_else_is_refused(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("not an image")
    answer = demo(tmp_path / "out", "--input", str(note))
    assert answer.returncode == 1
    assert "NOT_READABLE" in answer.stderr
