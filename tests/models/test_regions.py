from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from models.regions import air_or_collimation, edge, long_ones, reached


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


def test_long_parts_stay_and_short_ones_go_whatever_their_shape() -> None:
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., 5, 2:30] = 1  # 28 wide
    mask[..., 10, 2:8] = 1
    for step in range(20):  # a diagonal: corners touch
        mask[..., 15 + step, 5 + step] = 1
    mask[..., 15:25, 40] = mask[..., 24, 40:58] = 1  # bent
    found = long_ones(mask, 20)
    assert bool(found[..., 5, 2:30].all())
    assert not bool(found[..., 10, :].any())
    assert float(found[..., 15:35, 5:25].sum()) == 20
    assert float(found[..., 15:25, 40:58].sum()) == 27
    assert not bool(long_ones(torch.zeros(1, 1, 8, 9), 3).any())
