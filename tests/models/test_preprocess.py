"""Placing radiographs in the network's square, and carrying the residual back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.preprocess import Placement, from_model, place, to_model

SIDES = st.integers(1, 130)


def waves(height: int, width: int, periods: float) -> NDArray[np.float32]:
    """(H, W) float32, [0, 1]: a smooth pattern with so many periods across the longer side."""
    longest = max(height, width)
    y, x = np.meshgrid((np.arange(height) + 0.5) / longest, (np.arange(width) + 0.5) / longest, indexing="ij")
    return (0.5 + 0.3 * np.sin(2 * np.pi * periods * x) * np.cos(2 * np.pi * periods * y)).astype(np.float32)


@given(height=SIDES, width=SIDES, size=st.integers(1, 96))
@settings(max_examples=60, deadline=None)
def test_shapes_are_exact_for_every_matrix_and_model_size(height: int, width: int, size: int) -> None:
    square, placement = to_model(waves(height, width, 1.0), size)
    assert square.shape == (1, 1, size, size)
    assert square.dtype == torch.float32
    back = from_model(square, placement)
    assert back.shape == (height, width)
    assert back.dtype == np.float32
    assert max(placement.height, placement.width) == size
    assert 0 <= placement.top <= size - placement.height
    assert 0 <= placement.left <= size - placement.width


@given(height=SIDES, width=SIDES, size=st.integers(1, 96))
@settings(max_examples=40, deadline=None)
def test_a_zero_residual_comes_back_as_exact_zeros(height: int, width: int, size: int) -> None:
    native = from_model(torch.zeros(1, 1, size, size), place(height, width, size))
    assert native.shape == (height, width)
    assert not native.any()


@given(height=st.integers(48, 400), width=st.integers(48, 400))
@settings(max_examples=25, deadline=None)
def test_a_smooth_image_survives_the_round_trip(height: int, width: int) -> None:
    original = waves(height, width, 2.0)
    square, placement = to_model(original, 128)
    # A residual in model units is twice the display residual; the image itself, without the offset of -1, is such a
    # residual.
    returned = from_model(square + 1.0, placement)
    margin = 2 + max(height, width) // 64
    inner = (slice(margin, height - margin), slice(margin, width - margin))
    assert np.abs(returned - original)[inner].max() < 0.01


@given(height=SIDES, width=SIDES)
@settings(max_examples=40, deadline=None)
def test_values_outside_the_window_are_clipped(height: int, width: int) -> None:
    wild = (waves(height, width, 3.0) * 9.0 - 4.0).astype(np.float32)
    square, _ = to_model(wild, 48)
    assert float(square.min()) >= -1.0
    assert float(square.max()) <= 1.0
    clipped, _ = to_model(np.clip(wild, 0.0, 1.0), 48)
    assert torch.equal(square, clipped)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (2021, 2021, Placement(2021, 2021, 512, 0, 0, 512, 512)),
        (2500, 2048, Placement(2500, 2048, 512, 0, 46, 512, 419)),
        (2048, 2500, Placement(2048, 2500, 512, 46, 0, 419, 512)),
        (3, 4000, Placement(3, 4000, 512, 255, 0, 1, 512)),
        (1, 1, Placement(1, 1, 512, 0, 0, 512, 512)),
    ],
)
def test_the_aspect_ratio_is_kept_and_the_image_centred(height: int, width: int, expected: Placement) -> None:
    assert place(height, width, 512) == expected


def test_what_surrounds_a_portrait_image_is_black_and_the_image_is_not() -> None:
    square, placement = to_model(np.ones((100, 60), np.float32), 50)
    assert torch.all(square[..., : placement.left] == -1.0)
    assert torch.all(square[..., placement.left + placement.width :] == -1.0)
    assert torch.all(square[..., placement.left : placement.left + placement.width] == 1.0)


def test_an_image_of_the_models_own_size_is_untouched() -> None:
    original = np.random.default_rng(1).random((64, 64), dtype=np.float32)
    square, placement = to_model(original, 64)
    np.testing.assert_allclose(from_model(square + 1.0, placement), original, atol=1e-6)


def test_shrinking_does_not_alias_a_fine_grid() -> None:
    grid = np.zeros((512, 512), np.float32)
    grid[:, ::2] = 1.0
    square, _ = to_model(grid, 100)
    assert float(square[..., 5:-5, 5:-5].abs().max()) < 0.05


def test_enlarging_a_residual_leaves_no_blocks() -> None:
    residual = torch.from_numpy(waves(32, 32, 1.0))[None, None]
    native = from_model(residual, place(1024, 1024, 32))
    # A block pattern would show as second differences concentrated at multiples of 32.
    bend = np.abs(np.diff(native, n=2, axis=1))
    assert bend.max() < 6.0 * np.median(bend) + 1e-4


def test_a_bright_spot_stays_where_it_was() -> None:
    original = np.zeros((301, 220), np.float32)
    original[200:212, 60:72] = 1.0
    square, placement = to_model(original, 128)
    returned = from_model(square + 1.0, placement)
    rows, columns = np.indices(returned.shape)
    assert abs(float((rows * returned).sum() / returned.sum()) - 205.5) < 0.5
    assert abs(float((columns * returned).sum() / returned.sum()) - 65.5) < 0.5


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (4,), (2, 3, 4)])
def test_anything_but_a_matrix_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected a matrix"):
        to_model(np.zeros(shape, np.float32), 16)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_model(np.full((4, 4), value, np.float32), 16)


def test_a_residual_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a residual"):
        from_model(torch.zeros(1, 1, 32, 32), place(10, 10, 64))
