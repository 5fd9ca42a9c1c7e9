"""What both networks of BS-Diff are made of, with the published state-dict names.

The names are those of MONAI's generative networks, on which the published code is built: a convolution is called `conv`
inside its own module, attention has its projections `to_q`, `to_k`, `to_v` and `proj_attn`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-6

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values, each (N, heads, positions, C) → the same shape."""


class Convolution(nn.Module):
    """A convolution over (N, C, H, W), named `conv` as published; keeps H and W when its stride is 1."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1, padding: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2 if padding is None else padding)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) → (N, c_out, H', W')."""
        return cast(Tensor, self.conv(x))


class Upsample(nn.Module):
    """Every pixel doubled along both sides, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, 2H, 2W)."""
        return cast(Tensor, self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest")))


class Attention(nn.Module):
    """Self-attention over all positions, added to its input. There is no output projection.

    The published networks hold the weights of one, `proj_attn`, and never apply it; it stays here for its name and
    takes no gradient. Applying it would shift the enhancement autoencoder's mean by 0.48.
    """

    def __init__(self, channels: int, head_channels: int, groups: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.attend: Attend = F.scaled_dot_product_attention
        self.norm = nn.GroupNorm(groups, channels, eps=NORM_EPSILON)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.proj_attn = nn.Linear(channels, channels).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape."""
        n, c, height, width = x.shape
        tokens = self.norm(x).flatten(2).transpose(1, 2)  # (N, H·W, C)
        q, k, v = (
            project(tokens).unflatten(2, (-1, self.head_channels)).transpose(1, 2)
            for project in (self.to_q, self.to_k, self.to_v)
        )
        attended = self.attend(q, k, v)  # (N, heads, H·W, head_channels)
        return attended.transpose(2, 3).reshape(n, c, height, width) + x  # laid out channels last
