from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.evaluation.methods import ModelRun
from models.evaluation.over_radiographs import measure_radiograph, measure_radiographs
from models.evaluation.pictures import PngReader, named_pictures
from models.metrics.body import body_masks
from models.phantom import render
from tests.models.evaluation.factories import FakeSuppressor, idle, write_png

CHEST = render(512, 7).radiograph
CLOSE = (0.5 + np.random.default_rng(2).normal(0, 0.05, (200, 200))).astype(np.float32)
"""Nothing but patient."""
OUTSIDE = body_masks(CHEST).outside


def test_doing_nothing_changes_nothing_and_keeps_all_structure() -> None:
    found = measure_radiograph(CHEST, CHEST)
    assert found.outside is not None
    assert (found.outside.mean, found.outside.p999) == (0.0, 0.0)
    assert found.high_pass_correlation == pytest.approx(1.0)


def test_change_outside_the_patient_is_told_in_percent_of_the_range_and_change_inside_is_not() -> None:
    changed = np.where(OUTSIDE, CHEST + 0.004, CHEST - 0.1).astype(np.float32)
    found = measure_radiograph(CHEST, changed)
    assert found.outside is not None
    assert found.outside.mean == pytest.approx(0.4, abs=1e-3)
    spot = CHEST.copy()
    spot[np.nonzero(OUTSIDE)[0][0], np.nonzero(OUTSIDE)[1][0]] += 0.5
    dotted = measure_radiograph(CHEST, spot).outside
    assert dotted is not None
    assert 0 < dotted.mean < 0.02


def test_invented_structure_lowers_the_correlation() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, CHEST.shape).astype(np.float32)
    assert measure_radiograph(CHEST, CHEST + noise).high_pass_correlation < 0.8


def test_a_patient_who_fills_the_image_has_no_outside() -> None:
    assert measure_radiograph(CLOSE, CLOSE).outside is None


def test_every_radiograph_is_measured_and_summed_up(tmp_path: Path) -> None:
    write_png(tmp_path / "whole.png", CHEST)
    write_png(tmp_path / "close.png", CLOSE)
    files = named_pictures(tmp_path, PngReader())
    paler = FakeSuppressor(lambda cxr, _seed: torch.full_like(cxr, 0.01), name="paler")
    found = measure_radiographs(files, [ModelRun(idle()), ModelRun(paler)], PngReader(), lambda *_: None)
    assert list(found.images) == ["close", "whole"]
    assert found.with_outside == 1
    assert found.summary["idle (one-pass, 4)"].outside_mean == pytest.approx(0.0, abs=1e-5)
    whole, summary = found.images["whole"]["paler (ddpm, 4)"].outside, found.summary["paler (ddpm, 4)"]
    assert whole is not None
    # What the model takes away everywhere, 0.5 %, is given back outside the patient but for a soft edge.
    assert 0 < whole.mean < 0.1
    assert (summary.outside_mean, summary.outside_worst, summary.outside_p999) == (whole.mean, whole.mean, whole.p999)
