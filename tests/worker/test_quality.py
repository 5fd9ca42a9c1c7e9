from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from worker.quality import BLOCK, quality_of

RNG = np.random.default_rng(5)
SOURCE = RNG.random((80, 96), np.float32)
NOTHING = np.zeros_like(SOURCE)
EVERYWHERE = np.ones(SOURCE.shape, np.bool_)


def test_a_result_that_is_its_source_changed_nothing_and_kept_everything() -> None:
    figures = quality_of(SOURCE, NOTHING, EVERYWHERE)
    assert (figures.changed_share_percent, figures.mean_change_percent, figures.largest_change_percent) == (0, 0, 0)
    assert figures.fine_structure_correlation == pytest.approx(1.0, abs=1e-6)
    assert figures.largest_change_outside_percent is None
    assert figures.mean_spread_percent is None


def test_shares_and_changes_are_those_of_the_formulas() -> None:
    residual = NOTHING.copy()
    residual[:20] = -0.1  # a quarter of the rows
    residual[79, 95] = 0.5
    residual[20:40] = 0.004  # not visible
    figures = quality_of(SOURCE, residual, EVERYWHERE)
    assert figures.changed_share_percent == pytest.approx(100 * (20 * 96 + 1) / (80 * 96))
    assert figures.mean_change_percent == pytest.approx(100 * np.abs(residual).mean(), rel=1e-5)
    assert figures.largest_change_percent == pytest.approx(50.0)


def test_a_change_where_no_patient_is_is_told_apart() -> None:
    patient = EVERYWHERE.copy()
    patient[:, :10] = False
    residual = NOTHING.copy()
    residual[5, 50] = 0.3
    assert quality_of(SOURCE, residual, patient).largest_change_outside_percent == 0.0
    residual[5, 5] = -0.02
    assert quality_of(SOURCE, residual, patient).largest_change_outside_percent == pytest.approx(2.0)


def test_the_spread_is_averaged_over_the_patient() -> None:
    patient = EVERYWHERE.copy()
    patient[:, :48] = False
    spread = np.where(patient, np.float32(0.03), np.float32(9.0))
    assert quality_of(SOURCE, NOTHING, patient, spread).mean_spread_percent == pytest.approx(3.0)
    assert quality_of(SOURCE, NOTHING, ~EVERYWHERE, spread).mean_spread_percent is None


def test_fine_structure_outlives_a_change_that_is_coarser_than_a_block_and_dies_with_one_that_is_not() -> None:
    blocks = (SOURCE.shape[0] // BLOCK, SOURCE.shape[1] // BLOCK)
    coarse = np.repeat(np.repeat(RNG.random(blocks, np.float32), BLOCK, 0), BLOCK, 1)
    assert quality_of(SOURCE, coarse, EVERYWHERE).fine_structure_correlation == pytest.approx(1.0, abs=1e-5)
    other = RNG.random(SOURCE.shape, np.float32)
    replaced = quality_of(SOURCE, SOURCE - other, EVERYWHERE).fine_structure_correlation
    assert replaced == pytest.approx(0.0, abs=0.05)
    means = SOURCE.reshape(blocks[0], BLOCK, blocks[1], BLOCK).mean(axis=(1, 3))
    smoothed = np.repeat(np.repeat(means, BLOCK, 0), BLOCK, 1)
    assert quality_of(SOURCE, SOURCE - smoothed, EVERYWHERE).fine_structure_correlation == 0.0


def test_fine_structure_outside_the_patient_does_not_count() -> None:
    patient = EVERYWHERE.copy()
    patient[:BLOCK] = False
    residual = NOTHING.copy()
    residual[:BLOCK] = SOURCE[:BLOCK]
    assert quality_of(SOURCE, residual, patient).fine_structure_correlation == pytest.approx(1.0, abs=1e-6)


def test_a_flat_source_or_one_without_a_patient_has_no_fine_structure() -> None:
    flat = np.full_like(SOURCE, 0.4)
    assert quality_of(flat, NOTHING, EVERYWHERE).fine_structure_correlation is None
    assert quality_of(SOURCE, NOTHING, ~EVERYWHERE).fine_structure_correlation is None
    tiny = SOURCE[:3, :9]
    assert quality_of(tiny, NOTHING[:3, :9], EVERYWHERE[:3, :9]).fine_structure_correlation is None


def test_a_large_image_is_measured_on_a_part_of_its_rows_with_the_same_answer() -> None:
    large = RNG.random((2021, 1500), np.float32)
    residual = (0.1 * RNG.random(large.shape, np.float32)).astype(np.float32)
    found = quality_of(large, residual, np.ones(large.shape, np.bool_)).fine_structure_correlation
    assert found is not None
    # Independent noise of a tenth: 1 / √(1 + 0.01)
    assert found == pytest.approx(1 / np.sqrt(1.01), abs=2e-4)


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        quality_of(SOURCE, NOTHING[:3], EVERYWHERE)
    with pytest.raises(ValueError, match="one shape"):
        quality_of(SOURCE, NOTHING, EVERYWHERE, NOTHING[:3])


finite = st.floats(-1.0, 1.0, width=32)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float32, (33, 35), elements=finite),
    arrays.arrays(np.float32, (33, 35), elements=finite),
    arrays.arrays(np.bool_, (33, 35)),
)
def test_the_figures_of_any_image_are_within_their_bounds(
    source: np.ndarray, residual: np.ndarray, patient: np.ndarray
) -> None:
    figures = quality_of(source, residual, patient, np.abs(residual))
    assert 0 <= figures.changed_share_percent <= 100
    assert 0 <= figures.mean_change_percent <= figures.largest_change_percent * (1 + 1e-5) <= 100.01
    outside = figures.largest_change_outside_percent
    assert outside is None or 0 <= outside <= figures.largest_change_percent
    correlation = figures.fine_structure_correlation
    assert correlation is None or -1 <= correlation <= 1
