from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pairs.motion import Motion, carry, motion_of
from models.pairs.registration import find_motion, match, register
from tests.models.pairs.phantom_pairs import exposures

SIDE = 256
shifts = st.floats(-12, 12)


def left_over(first: Motion, second: Motion, side: int = SIDE) -> float:
    """How far any pixel ends from where it began when carried by `first` and then by `second`, pixels."""
    corners = np.array([(x, y) for x in (-side / 2, 0, side / 2) for y in (-side / 2, 0, side / 2)])
    ends = corners
    for motion in (second, first):  # each maps a place of its result to a place of its source
        ends = ends @ np.array([[1 + motion.p, motion.q], [-motion.q, 1 + motion.p]]) + [motion.u, motion.v]
    return float(np.hypot(*(ends - corners).T).max())


@given(shifts, shifts, st.floats(-5, 5), st.floats(0.9, 1.1))
def test_a_motion_says_the_shift_turn_and_scale_it_was_made_of(x: float, y: float, turn: float, scale: float) -> None:
    motion = motion_of(x, y, turn, scale)
    assert motion.shift == pytest.approx((x, y), abs=1e-9)
    assert motion.rotation == pytest.approx(turn, abs=1e-9)
    assert motion.scale == pytest.approx(scale, abs=1e-9)


@pytest.mark.parametrize(
    ("motion", "place"),
    [
        (motion_of(10, 0), (32, 42)),  # right
        (motion_of(0, 6), (38, 32)),  # down
        (motion_of(0, 0, 90), (52, 32)),  # clockwise: what was right of the centre is below it
        (motion_of(0, 0, 0, 0.5), (32, 42)),
    ],
)
def test_content_goes_where_the_motion_says(motion: Motion, place: tuple[int, int]) -> None:
    image = np.zeros((65, 65), np.float32)
    start = (32, 52) if motion.rotation or motion.scale < 1 else (32, 32)
    image[start] = 1
    moved = carry(image, motion)
    assert np.unravel_index(moved.argmax(), moved.shape) == place


def test_standing_still_changes_no_pixel() -> None:
    cxr, _ = exposures(SIDE)
    np.testing.assert_allclose(carry(cxr, Motion()), cxr, atol=1e-6)


@settings(max_examples=6, deadline=None)
@given(shifts, shifts, st.floats(-2, 2), st.floats(0.985, 1.015))
def test_one_image_moved_is_brought_back_within_a_fraction_of_a_pixel(
    x: float, y: float, turn: float, scale: float
) -> None:
    cxr, _ = exposures(SIDE)
    true = motion_of(x, y, turn, scale)
    assert left_over(true, find_motion(cxr, carry(cxr, true))) < 0.15


@settings(max_examples=3, deadline=None)
@given(shifts, shifts, st.floats(-2, 2), st.sampled_from([7, 8]))
def test_a_pair_is_registered_although_bones_tone_and_noise_differ(x: float, y: float, turn: float, seed: int) -> None:
    cxr, soft = exposures(512, seed)
    true = motion_of(x, y, turn)
    found = register(cxr, carry(soft, true))
    assert found.match_after >= found.match_before
    assert left_over(true, found.motion, side=512) < 0.15


def test_of_a_small_pair_the_bones_pull_by_less_than_half_a_pixel() -> None:
    cxr, soft = exposures(SIDE, 8)
    assert left_over(Motion(), register(cxr, soft).motion) < 0.5


@pytest.mark.parametrize("shape", [(256, 200), (180, 256)])
def test_images_that_are_not_square_are_registered_too(shape: tuple[int, int]) -> None:
    cxr = exposures(SIDE)[0][: shape[0], : shape[1]]
    true = motion_of(3.4, -2.2, 1.0, 1.01)
    assert left_over(true, find_motion(cxr, carry(cxr, true))) < 0.155


def test_what_already_lies_right_is_not_interpolated() -> None:
    cxr, _ = exposures(SIDE)
    found = register(cxr, cxr)
    assert found.motion == Motion()
    assert found.moved is cxr


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_registration_never_worsens_the_match(seed: int) -> None:
    noise = np.random.default_rng(seed).random((2, 96, 96), dtype=np.float32)
    found = register(noise[0], noise[1])
    assert found.match_after >= found.match_before
    assert found.match_after == pytest.approx(match(noise[0], found.moved), abs=1e-6)


def test_match_tells_one_patient_from_two() -> None:
    cxr, soft = exposures(SIDE)
    assert match(cxr, cxr) == pytest.approx(1, abs=1e-6)
    assert match(cxr, soft) > 0.3
    assert abs(match(cxr, np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32))) < 0.1
