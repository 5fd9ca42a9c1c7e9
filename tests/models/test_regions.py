from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.regions import air_or_collimation, edge, parts_of, reached


def test_what_hangs_together_by_corners_is_reached_and_islands_are_not() -> None:
    allowed = torch.zeros(1, 1, 7, 7)
    allowed[0, 0, 0, 0] = allowed[0, 0, 1, 1] = allowed[0, 0, 2, 2] = allowed[0, 0, 5, 4] = 1
    found = reached(edge(allowed), allowed)
    assert found.nonzero()[:, 2:].tolist() == [[0, 0], [1, 1], [2, 2]]


def test_dark_is_air_only_without_grain_and_very_dark_always() -> None:
    plane = torch.full((1, 1, 12, 24), 0.2)
    plane[..., 12:] += 0.05 * (torch.arange(12) % 2)
    plane[..., 0] = 0.01
    mask = air_or_collimation(plane, very_dark=0.05, dark=0.3, grainless=0.003)[0, 0]
    assert mask[6, [0, 6]].tolist() == [1, 1]
    assert float(mask[:, 15:].max()) == 0


@settings(deadline=None, max_examples=60)
@given(arrays(np.bool_, (9, 13)), arrays(np.bool_, (9, 13)))
def test_a_path_may_turn_as_often_as_it_likes(allowed: np.ndarray, seeds: np.ndarray) -> None:
    planes = [torch.from_numpy(mask.astype(np.float32))[None, None] for mask in (seeds, allowed)]
    expected = planes[0] * planes[1]
    for _ in range(allowed.size):  # one pixel a round, until nothing more can be reached
        expected = F.max_pool2d(expected, 3, 1, 1) * planes[1]
    assert torch.equal(reached(*planes), expected)


def test_parts_have_an_extent_and_a_sum_whatever_their_shape() -> None:
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., 5, 2:30] = 1  # 28 wide
    mask[..., 10, 2:8] = 1
    for step in range(20):  # a diagonal: corners touch
        mask[..., 15 + step, 5 + step] = 1
    mask[..., 15:25, 40] = mask[..., 24, 40:58] = 1  # bent
    parts = parts_of(mask)
    assert sorted(parts.extent) == pytest.approx(sorted(np.hypot([1, 1, 20, 10], [28, 6, 20, 18])))
    assert sorted(parts.sums(2 * mask)) == [12, 40, 54, 56]
    long = parts.only(parts.extent > 10)
    assert torch.equal(long, mask * (torch.arange(40) != 10)[:, None])


def test_an_empty_mask_has_no_parts() -> None:
    parts = parts_of(torch.zeros(1, 1, 8, 9))
    assert parts.extent.shape == parts.sums(torch.ones(1, 1, 8, 9)).shape == (0,)
    assert not bool(parts.only(parts.extent > 0).any())


@settings(max_examples=50)
@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_a_part_is_all_that_can_be_reached_from_each_of_its_pixels(mask: np.ndarray) -> None:
    plane = torch.from_numpy(mask.astype(np.float32))[None, None]
    parts = parts_of(plane)
    assert ((parts.number > 0) == mask).all()
    for one in range(parts.extent.size):
        part = parts.only(np.arange(parts.extent.size) == one)
        seed = torch.zeros_like(part).flatten()
        seed[part.flatten().argmax()] = 1
        assert torch.equal(reached(seed.view_as(part), plane), part)
