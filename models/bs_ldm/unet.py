"""BS-LDM's noise-prediction network: the U-Net of ADM (Dhariwal & Nichol 2021, arXiv 2105.05233, appendix A).

State-dict names and shapes are the published ones at every size, so that published weights load as they are. Residual
blocks carry the timestep by scale-shift normalisation, change resolution inside themselves, and self-attention follows
them wherever the down-sampling factor is in `attention_resolutions`.

What the timestep says to the blocks (FiLM: a scale and a shift for each channel) depends on nothing else, so `film` and
`denoise` may be called apart and the former's result kept, as `models.bs_ldm.fast_networks` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError

NORM_GROUPS = 32


class AttentionOrder(StrEnum):
    """How the 3·C channels of qkv are cut; tensor shapes do not tell which."""

    LEGACY = "legacy"  # heads first, then q, k, v within each head (published class QKVAttentionLegacy; BS-LDM)
    QKV_FIRST = "qkv-first"  # q, k, v first, then heads within each (QKVAttention; GL-LCM)


@dataclass(frozen=True)
class UNetConfig:
    """Size of the U-Net. The defaults are BS-LDM's (382,978,184 parameters)."""

    in_channels: int = 8
    out_channels: int = 8
    model_channels: int = 128
    num_res_blocks: int = 8
    channel_mult: tuple[int, ...] = (1, 1, 2, 2, 4, 4)
    attention_resolutions: tuple[int, ...] = (64, 32, 16, 8)
    """Down-sampling factors (not resolutions, despite the published name) that get attention."""
    num_heads: int = 8
    attention_order: AttentionOrder = AttentionOrder.LEGACY
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.model_channels % NORM_GROUPS:
            raise ConfigError(f"unet: model_channels must be a multiple of {NORM_GROUPS}, found {self.model_channels}")
        if self.num_heads < 1 or self.model_channels % self.num_heads:
            raise ConfigError(f"unet: model_channels must be a multiple of num_heads = {self.num_heads}")
        if not self.channel_mult or self.num_res_blocks < 1:
            raise ConfigError("unet: channel_mult must not be empty and num_res_blocks must be 1 or more")

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 1 << (len(self.channel_mult) - 1)


class UNet(nn.Module):
    """f(x, t): x (N, in_channels, H, W), t (N,) → (N, out_channels, H, W)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        c = config.model_channels
        emb = 4 * c
        self.time_embed = nn.Sequential(nn.Linear(c, emb), nn.SiLU(), nn.Linear(emb, emb))

        def stage(c_in: int, c_out: int, factor: int, resample: str | None = None) -> TimestepSequential:
            layers: list[nn.Module] = [ResBlock(c_in, c_out, emb, config.dropout)]
            if factor in config.attention_resolutions:
                layers.append(AttentionBlock(c_out, config.num_heads, config.attention_order))
            if resample is not None:
                layers.append(ResBlock(c_out, c_out, emb, config.dropout, resample=resample))
            return TimestepSequential(layers)

        ch = config.channel_mult[0] * c
        self.input_blocks = nn.ModuleList([TimestepSequential([nn.Conv2d(config.in_channels, ch, 3, padding=1)])])
        skips, factor, last = [ch], 1, len(config.channel_mult) - 1
        for level, mult in enumerate(config.channel_mult):
            for _ in range(config.num_res_blocks):
                self.input_blocks.append(stage(ch, mult * c, factor))
                ch = mult * c
                skips.append(ch)
            if level < last:
                self.input_blocks.append(TimestepSequential([ResBlock(ch, ch, emb, config.dropout, resample="down")]))
                skips.append(ch)
                factor *= 2

        self.middle_block = TimestepSequential(
            [
                ResBlock(ch, ch, emb, config.dropout),
                AttentionBlock(ch, config.num_heads, config.attention_order),
                ResBlock(ch, ch, emb, config.dropout),
            ]
        )

        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(config.channel_mult))):
            for i in range(config.num_res_blocks + 1):
                up = "up" if level > 0 and i == config.num_res_blocks else None
                self.output_blocks.append(stage(ch + skips.pop(), mult * c, factor, up))
                ch = mult * c
            factor //= 2

        self._film_widths = [block.film_width for block in self.modules() if isinstance(block, ResBlock)]
        self.out = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, ch), nn.SiLU(), zeroed(nn.Conv2d(ch, config.out_channels, 3, padding=1))
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """See the class; H and W must be multiples of `config.stride`."""
        return self.denoise(x, self.film(t))

    def film(self, t: Tensor) -> Tensor:
        """Scales and shifts of all residual blocks at timesteps t (N,), one block after the other: (N, their sum)."""
        emb = self.time_embed(timestep_embedding(t, self.config.model_channels))
        return torch.cat([block.emb_layers(emb) for block in self.modules() if isinstance(block, ResBlock)], dim=1)

    def denoise(self, x: Tensor, film: Tensor) -> Tensor:
        """The output for x under `film`, (N, …) or (1, …) for a whole batch at one timestep."""
        films = iter(torch.split(film, self._film_widths, dim=1))
        skips: list[Tensor] = []
        h = x
        for block in self.input_blocks:
            h = block(h, films)
            skips.append(h)
        h = self.middle_block(h, films)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), films)
        return cast(Tensor, self.out(h))


class TimestepSequential(nn.ModuleList):
    """Layers in a row; each residual block among them takes the next of the timestep's scales and shifts."""

    def forward(self, x: Tensor, films: Iterator[Tensor]) -> Tensor:
        """x (N, C, H, W); films in the order of the network's residual blocks."""
        for layer in self:
            x = layer(x, next(films)) if isinstance(layer, ResBlock) else layer(x)
        return x


class ResBlock(nn.Module):
    """Residual block with scale-shift normalisation; `resample` halves or doubles H and W on both paths."""

    def __init__(self, c_in: int, c_out: int, emb: int, dropout: float, *, resample: str | None = None) -> None:
        super().__init__()
        self.resample = resample
        self.film_width = 2 * c_out
        """Numbers that a timestep says to this block: a scale and a shift for each output channel."""
        self.in_layers = nn.Sequential(nn.GroupNorm(NORM_GROUPS, c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, 2 * c_out))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, c_out),
            nn.SiLU(),
            nn.Dropout(dropout),
            zeroed(nn.Conv2d(c_out, c_out, 3, padding=1)),
        )
        self.skip_connection: nn.Module = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, film: Tensor) -> Tensor:
        """x (N, c_in, H, W), film (N or 1, film_width) → (N, c_out, H', W')."""
        norm, activation, conv = self.in_layers
        h = activation(norm(x))
        if self.resample == "down":
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        elif self.resample == "up":
            h, x = F.interpolate(h, scale_factor=2.0), F.interpolate(x, scale_factor=2.0)
        h = conv(h)
        scale, shift = film[:, :, None, None].chunk(2, dim=1)
        norm, activation, dropout, conv = self.out_layers
        h = conv(dropout(activation(norm(h) * (1 + scale) + shift)))
        return cast(Tensor, self.skip_connection(x) + h)


class AttentionBlock(nn.Module):
    """Self-attention over all positions, with a residual connection."""

    def __init__(self, channels: int, heads: int, order: AttentionOrder) -> None:
        super().__init__()
        self.heads, self.order = heads, order
        self.norm = nn.GroupNorm(NORM_GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) → the same shape."""
        n, c, height, width = x.shape
        flat = x.reshape(n, c, height * width)
        qkv = self.qkv(self.norm(flat))
        if self.order is AttentionOrder.LEGACY:
            q, k, v = qkv.view(n, self.heads, 3, c // self.heads, -1).transpose(-1, -2).unbind(2)
        else:
            q, k, v = qkv.view(n, 3, self.heads, c // self.heads, -1).transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v)  # (N, heads, H·W, C / heads)
        merged = attended.transpose(-1, -2).reshape(n, c, height * width)
        return cast(Tensor, flat + self.proj_out(merged)).view(n, c, height, width)


def timestep_embedding(t: Tensor, channels: int) -> Tensor:
    """Sinusoids of t, cosines first: (N,) → (N, channels) float32; longest period 10,000·2π."""
    half = channels // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = t[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def zeroed(layer: nn.Module) -> nn.Module:
    """The layer with its parameters at zero: a residual branch that starts as nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
