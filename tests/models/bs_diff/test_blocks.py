from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.bs_diff.blocks import Attention, Upsample
from tests.models.bs_ldm.factories import randomised


def attention(channels: int, head_channels: int, seed: int = 0) -> Attention:
    made = randomised(Attention(channels, head_channels, 4), seed)
    assert isinstance(made, Attention)
    return made


@given(heads=st.sampled_from([1, 2, 4]), height=st.integers(1, 4), width=st.integers(1, 4), seed=st.integers(0, 99))
def test_attention_is_the_softmax_of_scaled_products_head_by_head(
    heads: int, height: int, width: int, seed: int
) -> None:
    block = attention(8, 8 // heads, seed)
    x = torch.randn(2, 8, height, width, generator=torch.Generator().manual_seed(seed))
    tokens = block.norm(x).reshape(2, 8, -1).permute(0, 2, 1)
    expected = torch.empty_like(tokens)
    for head in range(heads):
        part = slice(head * 8 // heads, (head + 1) * 8 // heads)
        q, k, v = (project(tokens)[..., part] for project in (block.to_q, block.to_k, block.to_v))
        expected[..., part] = (q @ k.transpose(1, 2) / math.sqrt(8 / heads)).softmax(-1) @ v
    assert torch.allclose(block(x), x + expected.permute(0, 2, 1).reshape(x.shape), atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 7.0, float("nan")])
def test_the_published_output_projection_is_held_and_never_applied(value: float) -> None:
    block, x = attention(8, 8), torch.randn(1, 8, 3, 3)
    before = block(x)
    torch.nn.init.constant_(block.proj_attn.weight, value)
    assert torch.equal(block(x), before)


def test_upsampling_repeats_pixels_before_its_convolution() -> None:
    block = Upsample(1)
    torch.nn.init.dirac_(block.conv.conv.weight)
    torch.nn.init.zeros_(block.conv.conv.bias)  # type: ignore[arg-type]
    assert block(torch.tensor([[[[1.0, 2.0]]]])).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
