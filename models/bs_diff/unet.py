"""BS-Diff's first stage: the conditional U-Net in pixels that predicts noise (arXiv 2311.15328, section 2.1).

State-dict names and shapes are the published ones at every size (MONAI's diffusion U-Net), so that published weights
load as they are. The timestep enters each residual block as a shift between its two convolutions; attention follows the
blocks of the levels that have it, and stands in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.bs_diff.blocks import NORM_EPSILON, Attention, Convolution, Upsample
from models.bs_ldm.unet import timestep_embedding, zeroed
from models.errors import ConfigError


@dataclass(frozen=True)
class UNetConfig:
    """Size of the U-Net. The defaults are BS-Diff's (220,237,762 parameters)."""

    in_channels: int = 2
    """x_t, then the radiograph."""
    out_channels: int = 2
    """The noise of x_t first; what the published network says of its condition is not used."""
    num_channels: tuple[int, ...] = (64, 128, 256, 512, 768)
    num_res_blocks: int = 3
    attention_levels: tuple[bool, ...] = (False, True, True, True, True)
    num_head_channels: tuple[int, ...] = (0, 128, 256, 512, 768)
    """Channels of one attention head per level (published: one head each); 0 where there is no attention."""
    norm_num_groups: int = 32

    def __post_init__(self) -> None:
        levels = len(self.num_channels)
        if levels == 0 or self.num_res_blocks < 1:
            raise ConfigError("unet: num_channels must not be empty and num_res_blocks must be 1 or more")
        if len(self.attention_levels) != levels or len(self.num_head_channels) != levels:
            raise ConfigError(
                f"unet: {levels} levels in num_channels need as many attention_levels and num_head_channels, found "
                f"{len(self.attention_levels)} and {len(self.num_head_channels)}"
            )
        if self.norm_num_groups < 1 or any(width % self.norm_num_groups for width in self.num_channels):
            raise ConfigError(f"unet: num_channels must be multiples of norm_num_groups = {self.norm_num_groups}")
        # The middle block always attends, with the last level's heads.
        attended = (*self.attention_levels[:-1], True)
        for width, head, attends in zip(self.num_channels, self.num_head_channels, attended, strict=True):
            if attends and (head < 1 or width % head):
                raise ConfigError(f"unet: {width} channels cannot attend in heads of {head}")

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 1 << (len(self.num_channels) - 1)


class UNet(nn.Module):
    """(N, in_channels, H, W) float32 and timesteps (N,) → (N, out_channels, H, W). H and W: multiples of the stride.

    Freshly made, its output is zero and every residual block passes its input through.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        widths, last = config.num_channels, len(config.num_channels) - 1
        emb, groups = 4 * widths[0], config.norm_num_groups
        self.conv_in = Convolution(config.in_channels, widths[0])
        self.time_embed = nn.Sequential(nn.Linear(widths[0], emb), nn.SiLU(), nn.Linear(emb, emb))

        skips = [widths[0]]
        self.down_blocks = nn.ModuleList()
        for level, width in enumerate(widths):
            c_ins = (skips[-1], *(width,) * (config.num_res_blocks - 1))
            self.down_blocks.append(Level(config, level, c_ins, Downsample(width) if level < last else None))
            skips += [width] * (config.num_res_blocks + (level < last))

        self.middle_block = Middle(config)

        self.up_blocks = nn.ModuleList()
        ch = widths[-1]
        for level, width in reversed(list(enumerate(widths))):
            c_ins = tuple(above + skips.pop() for above in (ch, *(width,) * config.num_res_blocks))
            self.up_blocks.append(Level(config, level, c_ins, Upsample(width) if level > 0 else None))
            ch = width
        self.out = nn.Sequential(
            nn.GroupNorm(groups, ch, eps=NORM_EPSILON), nn.SiLU(), zeroed(Convolution(ch, config.out_channels))
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """See the class."""
        emb = self.time_embed(timestep_embedding(t, self.config.num_channels[0]))
        h = self.conv_in(x)
        skips: list[Tensor] = [h]
        for down in self.down_blocks:
            h, passed = down(h, emb)
            skips += passed
        h = self.middle_block(h, emb)
        for up in self.up_blocks:
            h = up(h, emb, skips)[0]
        return cast(Tensor, self.out(h))


class Level(nn.Module):
    """The residual blocks of one level on the way down or up, attention after each, and its change of resolution."""

    def __init__(self, config: UNetConfig, level: int, c_ins: tuple[int, ...], resample: nn.Module | None) -> None:
        super().__init__()
        width, groups = config.num_channels[level], config.norm_num_groups
        emb = 4 * config.num_channels[0]
        self.resnets = nn.ModuleList([ResBlock(c_in, width, emb, groups) for c_in in c_ins])
        self.attentions: nn.ModuleList | None = None
        if config.attention_levels[level]:
            head = config.num_head_channels[level]
            self.attentions = nn.ModuleList([Attention(width, head, groups) for _ in c_ins])
        self.downsampler = resample if isinstance(resample, Downsample) else None
        self.upsampler = resample if isinstance(resample, Upsample) else None

    def forward(self, x: Tensor, emb: Tensor, skips: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """The level's result and what it was after each part. `skips`, on the way up, are taken from their end."""
        passed: list[Tensor] = []
        for i, resnet in enumerate(self.resnets):
            if skips is not None:
                x = torch.cat([x, skips.pop()], dim=1)
            x = resnet(x, emb)
            if self.attentions is not None:
                x = self.attentions[i](x)
            passed.append(x)
        resample = self.downsampler or self.upsampler
        if resample is not None:
            x = resample(x)
            passed.append(x)
        return x, passed


class Middle(nn.Module):
    """Two residual blocks with attention between them, at the lowest resolution."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        width, emb, groups = config.num_channels[-1], 4 * config.num_channels[0], config.norm_num_groups
        self.resnet_1 = ResBlock(width, width, emb, groups)
        self.attention = Attention(width, config.num_head_channels[-1], groups)
        self.resnet_2 = ResBlock(width, width, emb, groups)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """Shape unchanged."""
        return cast(Tensor, self.resnet_2(self.attention(self.resnet_1(x, emb)), emb))


class ResBlock(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x))) + shift of t)))."""

    def __init__(self, c_in: int, c_out: int, emb: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, c_in, eps=NORM_EPSILON)
        self.conv1 = Convolution(c_in, c_out)
        self.time_emb_proj = nn.Linear(emb, c_out)
        self.norm2 = nn.GroupNorm(groups, c_out, eps=NORM_EPSILON)
        self.conv2 = zeroed(Convolution(c_out, c_out))
        self.skip_connection = nn.Identity() if c_in == c_out else Convolution(c_in, c_out, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """x (N, c_in, H, W), emb (N, 4·num_channels[0]) → (N, c_out, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(emb))[:, :, None, None]
        return cast(Tensor, self.skip_connection(x) + self.conv2(F.silu(self.norm2(h))))


class Downsample(nn.Module):
    """A convolution that takes every second position; named `op` as published."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = Convolution(channels, channels, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H / 2, W / 2)."""
        return cast(Tensor, self.op(x))
