from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.monotone import strictly_monotone


def test_a_strictly_monotone_curve_is_returned_as_it_is() -> None:
    curve = np.linspace(3, -2, 100) ** 3
    assert strictly_monotone(curve) is curve


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_flat_ends_go_on_along_the_mean_slope(sign: float) -> None:
    curve = sign * np.clip(np.arange(100.0) - 20, 0, 50) / 50
    mended = strictly_monotone(curve)
    assert mended is not None
    assert np.allclose(sign * mended, (np.arange(100.0) - 20) / 50, atol=0.02)


def test_small_dips_are_smoothed_and_real_turns_are_not() -> None:
    rise = np.linspace(0, 1, 200)
    dented = rise.copy()
    dented[100] -= 0.01
    mended = strictly_monotone(dented)
    assert mended is not None
    assert np.max(np.abs(mended - rise)) < 0.01
    assert strictly_monotone(np.sin(np.linspace(0, 6, 200))) is None


@pytest.mark.parametrize("curve", [np.zeros(5), np.array([1.0]), np.array([0.0, np.nan, 1.0]), np.array([0, 1.0, 0])])
def test_a_curve_without_an_inverse_gives_none(curve: np.ndarray) -> None:
    assert strictly_monotone(curve) is None


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60))
def test_a_rising_staircase_is_mended_within_its_steps(steps: list[int]) -> None:
    curve = np.cumsum(np.array(steps, np.float64))
    mended = strictly_monotone(curve)
    if mended is None:
        assert curve[0] == curve[-1]
        return
    assert np.all(np.diff(mended) > 0)
    inside = (curve > curve[0]) & (curve < curve[-1])
    assert np.all(np.abs(mended - curve)[inside] <= max(steps))
