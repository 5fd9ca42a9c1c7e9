"""Data set in, data set out."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from pydicom import Dataset

from dicom_node.derived import DerivedPolicy
from dicom_node.pixels import read_source
from dicom_node.radiograph import wrap_radiograph
from tests.worker.conftest import ConstantSuppressor
from worker.errors import ResultRejectedError
from worker.pipeline import SoftTissue, suppress


def run(dataset: Dataset, suppressor: ConstantSuppressor) -> SoftTissue:
    return suppress(
        dataset,
        suppressor,
        DerivedPolicy(),
        service_version="0.0.test",
        seed=3,
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        on_step=lambda _step, _total: None,
    )


@pytest.fixture
def radiograph() -> Dataset:
    rows, columns = np.mgrid[0:1100, 0:1000]
    display = (0.25 + 0.5 * np.sin(rows / 90.0) ** 2 * np.sin(columns / 70.0) ** 2).astype(np.float32)
    display[:, :60] = display[:, -60:] = 0.0
    return wrap_radiograph(display)


def test_a_network_that_sees_no_bone_returns_the_source_bit_for_bit(radiograph: Dataset) -> None:
    result = run(radiograph, ConstantSuppressor(residual=0.0))
    assert (read_source(result.derived).stored == read_source(radiograph).stored).all()


def test_the_residual_is_taken_away_in_display_units(radiograph: Dataset) -> None:
    result = run(radiograph, ConstantSuppressor(residual=0.1))
    before, after = read_source(radiograph).display, read_source(result.derived).display
    inside = before > 0.2
    assert np.allclose((before - after)[inside], 0.05, atol=2e-4)


@pytest.mark.parametrize("residual", [float("nan"), float("inf"), 2.5])
def test_an_output_that_is_no_image_is_refused(radiograph: Dataset, residual: float) -> None:
    with pytest.raises(ResultRejectedError):
        run(radiograph, ConstantSuppressor(residual=residual))


def test_the_derived_object_says_how_it_was_made(radiograph: Dataset) -> None:
    description = run(radiograph, ConstantSuppressor()).derived.DerivationDescription
    for fact in ("constant", "ab" * 32, "one-pass", "seed=3"):
        assert fact in description


def test_two_runs_give_the_same_object(radiograph: Dataset) -> None:
    first, second = (run(radiograph, ConstantSuppressor(residual=0.1)).derived for _ in range(2))
    assert first == second
