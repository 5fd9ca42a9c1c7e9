"""BS-Diff chosen by its name in the settings, like any other model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.pixels import read_source
from service.cli import app
from tests.models.bs_diff.factories import install_model
from tests.radiographs import phantom_file


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder with a small BS-Diff in it, named in the environment; returns a radiograph."""
    install_model(tmp_path / "weights", "diff-small")
    monkeypatch.chdir(tmp_path)
    for name, value in (("WEIGHTS_DIR", str(tmp_path / "weights")), ("MODEL", "diff-small"), ("STEPS", "2")):
        monkeypatch.setenv(f"SOFTRAY_{name}", value)
    monkeypatch.setenv("SOFTRAY_DEVICE", "cpu")
    return phantom_file(tmp_path)


def test_the_named_model_suppresses_a_file_and_is_named_in_the_result(chosen: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["suppress", str(chosen), "soft.dcm"])
    assert answer.exit_code == 0, answer.output
    soft = dcmread(tmp_path / "soft.dcm")
    assert "diff-small" in str(soft)
    assert "sampler=sde-dpm-solver++2m steps=2" in str(soft)
    before, after = read_source(dcmread(chosen)).display, read_source(soft).display
    assert before.shape == after.shape
    assert np.abs(before - after).max() > 1e-3


def test_a_preset_that_the_model_lacks_is_refused_in_a_sentence(chosen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_PRESET", "compat")  # a thousand steps: two cannot be asked of it
    answer = CliRunner().invoke(app, ["suppress", str(chosen), "soft.dcm"])
    assert answer.exit_code == 1
    assert "cannot run in 2 steps" in answer.output
    assert "Traceback" not in answer.output
