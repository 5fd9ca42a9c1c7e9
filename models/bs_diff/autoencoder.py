"""BS-Diff's second stage: the enhancement autoencoder (arXiv 2311.15328, section 2.2).

A variational autoencoder (Kingma & Welling 2013, arXiv 1312.6114) at a quarter of the side, with the published
state-dict names and shapes (MONAI's AutoencoderKL). It is used by its mean: the published code draws a sample of the
latent also when it only predicts, so that the same radiograph gave another picture each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.bs_diff.blocks import NORM_EPSILON, Attention, Convolution, Upsample
from models.errors import ConfigError

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -30.0, 20.0


@dataclass(frozen=True)
class AutoencoderConfig:
    """Size of the autoencoder. The defaults are BS-Diff's (34,449,889 parameters)."""

    in_channels: int = 1
    out_channels: int = 1
    num_channels: tuple[int, ...] = (128, 256, 384)
    latent_channels: int = 8
    num_res_blocks: int = 2
    attention_levels: tuple[bool, ...] = (False, True, True)
    """One head each; the middle, at the lowest resolution, always attends."""
    norm_num_groups: int = 32

    def __post_init__(self) -> None:
        levels = len(self.num_channels)
        if levels == 0 or self.num_res_blocks < 1 or self.latent_channels < 1:
            raise ConfigError("autoencoder: num_channels, num_res_blocks and latent_channels must not be empty")
        if len(self.attention_levels) != levels:
            raise ConfigError(f"autoencoder: {levels} levels need as many attention_levels")
        if self.norm_num_groups < 1 or any(width % self.norm_num_groups for width in self.num_channels):
            raise ConfigError(f"autoencoder: num_channels must be multiples of norm_num_groups {self.norm_num_groups}")

    @property
    def stride(self) -> int:
        """Pixels per latent position along a side; the image's sides must be multiples of it."""
        return 1 << (len(self.num_channels) - 1)


@dataclass(frozen=True)
class Latents:
    """What the encoder says of an image."""

    mean: Tensor
    """(N, latent_channels, H / stride, W / stride)."""
    log_variance: Tensor
    """The same shape, in −30 … 20."""

    def sample(self, noise: Tensor) -> Tensor:
        """mean + σ · noise, for training; standard normal noise of the mean's shape."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise


class Autoencoder(nn.Module):
    """Stage 1's picture (N, 1, H, W), [-1, 1] → the enhanced one, the same shape and (not clamped) range."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        z = config.latent_channels
        self.encoder = Coder(_encoder(config))
        self.decoder = Coder(_decoder(config))
        self.quant_conv_mu = Convolution(z, z, 1)
        self.quant_conv_log_sigma = Convolution(z, z, 1)
        self.post_quant_conv = Convolution(z, z, 1)

    def forward(self, image: Tensor) -> Tensor:
        """The decoded mean; never random."""
        return self.decode(self.encode(image).mean)

    def encode(self, image: Tensor) -> Latents:
        """The latent's mean and the logarithm of its variance."""
        h = self.encoder(image)
        log_variance = self.quant_conv_log_sigma(h).clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)
        return Latents(self.quant_conv_mu(h), log_variance)

    def decode(self, z: Tensor) -> Tensor:
        """Pixels from latents."""
        return cast(Tensor, self.decoder(self.post_quant_conv(z)))


class Coder(nn.Module):
    """Blocks in a row, named `blocks` as published."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) through every block."""
        for block in self.blocks:
            x = block(x)
        return x


def _encoder(config: AutoencoderConfig) -> list[nn.Module]:
    widths, groups = config.num_channels, config.norm_num_groups
    blocks: list[nn.Module] = [Convolution(config.in_channels, widths[0])]
    ch = widths[0]
    for level, width in enumerate(widths):
        blocks += _level(config, level, ch)
        if level < len(widths) - 1:
            blocks.append(Downsample(width))
        ch = width
    return [*blocks, *_middle(ch, groups), _norm(ch, groups), Convolution(ch, config.latent_channels)]


def _decoder(config: AutoencoderConfig) -> list[nn.Module]:
    widths, groups = config.num_channels, config.norm_num_groups
    ch = widths[-1]
    blocks: list[nn.Module] = [Convolution(config.latent_channels, ch), *_middle(ch, groups)]
    for level, width in reversed(list(enumerate(widths))):
        blocks += _level(config, level, ch)
        if level > 0:
            blocks.append(Upsample(width))
        ch = width
    return [*blocks, _norm(ch, groups), Convolution(ch, config.out_channels)]


def _level(config: AutoencoderConfig, level: int, c_in: int) -> list[nn.Module]:
    width, groups = config.num_channels[level], config.norm_num_groups
    blocks: list[nn.Module] = []
    for i in range(config.num_res_blocks):
        blocks.append(ResBlock(c_in if i == 0 else width, width, groups))
        if config.attention_levels[level]:
            blocks.append(Attention(width, width, groups))
    return blocks


def _middle(width: int, groups: int) -> list[nn.Module]:
    return [ResBlock(width, width, groups), Attention(width, width, groups), ResBlock(width, width, groups)]


def _norm(width: int, groups: int) -> nn.Module:
    """Straight before the last convolution; the published network has no activation between them."""
    return nn.GroupNorm(groups, width, eps=NORM_EPSILON)


class ResBlock(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x))))))."""

    def __init__(self, c_in: int, c_out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, c_in, eps=NORM_EPSILON)
        self.conv1 = Convolution(c_in, c_out)
        self.norm2 = nn.GroupNorm(groups, c_out, eps=NORM_EPSILON)
        self.conv2 = Convolution(c_out, c_out)
        self.nin_shortcut = nn.Identity() if c_in == c_out else Convolution(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) → (N, c_out, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        return cast(Tensor, self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(h))))


class Downsample(nn.Module):
    """A convolution that takes every second position, padded below and at the right only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Convolution(channels, channels, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H / 2, W / 2)."""
        return cast(Tensor, self.conv(F.pad(x, (0, 1, 0, 1))))
