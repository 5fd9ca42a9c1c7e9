from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.training.engine.parts import images_in, in_parts, on_device


@dataclass(frozen=True)
class Some:
    images: Tensor
    weights: Tensor
    note: str = "kept"


def some(count: int) -> Some:
    return Some(torch.arange(count * 2.0).view(count, 2), torch.arange(float(count)))


@given(count=st.integers(1, 12), size=st.integers(0, 14))
def test_parts_put_together_are_the_batch_and_their_shares_are_all_of_it(count: int, size: int) -> None:
    parts = list(in_parts(some(count), size))
    assert torch.equal(torch.cat([part.images for part, _ in parts]), some(count).images)
    assert torch.equal(torch.cat([part.weights for part, _ in parts]), some(count).weights)
    assert sum(share for _, share in parts) == pytest.approx(1)
    assert all(len(part.images) <= (size or count) and part.note == "kept" for part, _ in parts)


def test_a_batch_whose_tensors_disagree_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        images_in(Some(torch.zeros(2, 1), torch.zeros(3)))


def test_a_batch_without_tensors_is_one_piece() -> None:
    assert list(in_parts(None, 2)) == [(None, 1.0)]


def test_on_the_cpu_nothing_is_copied() -> None:
    batch = some(2)
    assert on_device(batch, torch.device("cpu")) is batch
