from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.dense_objects import beside_dense_objects, dense_objects
from models.phantom import render
from models.phantom.render import Phantom

Image = NDArray[np.float32]
SIDE = 1024
LUNG, SHOULDER = (600, 360), (300, 70)
"""Top and left of what is laid over a phantom."""


@lru_cache
def phantom_of(size: int = SIDE) -> Phantom:
    return render(size)


def with_marker(top: int, left: int) -> tuple[Image, NDArray[np.bool_]]:
    """The phantom with a lead F at that place, and where it is."""
    letter = np.zeros((SIDE, SIDE), np.bool_)
    letter[top : top + 36, left : left + 6] = True
    letter[top : top + 6, left : left + 24] = letter[top + 16 : top + 22, left : left + 18] = True
    shown = phantom_of().radiograph.astype(np.float32).copy()
    shown[letter] = 1.0
    return shown, letter


def mask_of(shown: Image) -> Image:
    """The objects at the image's own size."""
    found = dense_objects(torch.from_numpy(shown)[None, None])
    return np.asarray(torch.nn.functional.interpolate(found, size=shown.shape, mode="bilinear")[0, 0].numpy())


@pytest.mark.parametrize("place", [LUNG, SHOULDER])
def test_a_side_marker_inside_the_field_keeps_its_contrast(place: tuple[int, int]) -> None:
    shown, letter = with_marker(*place)
    residual = np.where(letter, np.float32(0.3), np.float32(0.05))
    spared = beside_dense_objects(residual, shown)
    assert np.abs(spared[letter] - 0.05).max() < 0.01


def test_ribs_clavicles_and_the_spine_are_left_to_the_network() -> None:
    phantom = phantom_of()
    found = mask_of(phantom.radiograph.astype(np.float32))
    found[:110, 870:] = 0  # the phantom's own lead marker
    assert float(found.max()) == 0


def test_a_rib_below_a_marker_still_goes_and_no_edge_of_the_marker_s_surroundings_shows() -> None:
    shown, letter = with_marker(*LUNG)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    rib = (0.1 + 0.05 * np.sin(rows / 50.0) + 0.02 * np.cos(columns / 50.0)).astype(np.float32)
    spared = beside_dense_objects(np.where(letter, rib + np.float32(0.2), rib), shown)
    assert np.abs(spared - rib).max() < 0.02
    far = np.ones_like(letter)
    far[LUNG[0] - 60 : LUNG[0] + 100, LUNG[1] - 60 : LUNG[1] + 90] = False
    far[:110, 870:] = False
    assert (spared[far] == rib[far]).all()


def test_a_smooth_nodule_is_no_dense_object() -> None:
    shown = phantom_of().radiograph.astype(np.float32).copy()
    rows, columns = np.mgrid[:SIDE, :SIDE]
    shown += 0.3 * np.clip(1 - ((rows - 600) ** 2 + (columns - 360) ** 2) / 24.0**2, 0, 1).astype(np.float32)
    assert float(mask_of(shown)[550:650, 310:410].max()) == 0


@settings(deadline=None, max_examples=20)
@given(st.floats(0.2, 5.0), st.floats(-3.0, 3.0))
def test_what_is_found_hangs_on_no_unit(gain: float, offset: float) -> None:
    shown = torch.from_numpy(with_marker(*SHOULDER)[0])[None, None]
    expected, found = dense_objects(shown), dense_objects(shown * gain + offset)
    assert float((expected - found).abs().mean()) < 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (64, 64), (257, 130), (2021, 1990)])
def test_images_of_any_size_come_back_in_their_size(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).random(shape, np.float32)
    residual = np.full(shape, 0.1, np.float32)
    spared = beside_dense_objects(residual, noise)
    assert spared.shape == shape
    assert spared.dtype == np.float32
    assert np.isfinite(spared).all()
    assert np.abs(spared).max() <= 0.1 + 1e-6


def test_an_image_without_contrast_has_no_objects() -> None:
    assert float(dense_objects(torch.full((1, 1, 64, 64), 0.4)).max()) == 0


def test_a_residual_without_objects_comes_back_as_it_is() -> None:
    residual = np.full((64, 64), 0.1, np.float32)
    assert beside_dense_objects(residual, np.full((64, 64), 0.4, np.float32)) is residual
