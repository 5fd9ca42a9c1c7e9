from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pairs.clahe import Clahe, equalise
from models.pairs.errors import PairDataError
from tests.models.pairs.phantom_pairs import exposures


def test_a_flat_histogram_stays_as_it_is() -> None:
    ramp = np.tile(np.linspace(0, 1, 512, dtype=np.float32), (512, 1))
    np.testing.assert_allclose(equalise(ramp, Clahe(clip=4, tiles=1)), ramp, atol=0.005)


def test_weak_local_contrast_becomes_stronger_and_depth_is_kept() -> None:
    image = 0.4 + 0.1 * exposures(256)[0]
    result = equalise(image, Clahe(clip=4))
    assert result.std() > 2 * image.std()
    assert len(np.unique(result)) > 10_000


def test_a_lower_clip_limit_changes_less() -> None:
    image = 0.4 + 0.1 * exposures(256)[0]
    weak, strong = (equalise(image, Clahe(clip=clip)).std() for clip in (1.5, 6.0))
    assert image.std() < weak < strong


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(1, 40), st.floats(1, 20), st.integers(0, 99))
def test_any_shape_stays_in_range(tiles: int, rows: int, columns: int, clip: float, seed: int) -> None:
    image = np.random.default_rng(seed).random((rows, columns), dtype=np.float32)
    result = equalise(image, Clahe(clip, tiles))
    assert result.shape == image.shape
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-6


def test_one_tile_keeps_the_order_of_greys() -> None:
    image = exposures(256)[0]
    order = np.argsort(image, axis=None)
    assert (np.diff(equalise(image, Clahe(3, 1)).ravel()[order]) >= -1e-6).all()


@pytest.mark.parametrize(("clip", "tiles"), [(0.5, 8), (float("nan"), 8), (2, 0), (2, 1000)])
def test_settings_that_cannot_be_are_refused(clip: float, tiles: int) -> None:
    with pytest.raises(PairDataError, match="CLAHE"):
        Clahe(clip, tiles)
