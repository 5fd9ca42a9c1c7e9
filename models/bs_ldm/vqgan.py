"""BS-LDM's ML-VQGAN: a VQ-VAE that maps pixels to quantised latents at an eighth of the side, and back.

Encoder, decoder and quantiser are those of MONAI's VQVAE (van den Oord et al. 2017, arXiv 1711.00937, with the codebook
learnt by exponential moving average), with the published state-dict names. No normalisation layers anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError

COMMITMENT_COST = 0.25
CODEBOOK_DECAY = 0.99
CODEBOOK_EPSILON = 1e-5


@dataclass(frozen=True)
class VqganConfig:
    """Size of the autoencoder. The defaults are BS-LDM's (38,326,533 parameters)."""

    in_channels: int = 1
    out_channels: int = 1
    num_channels: tuple[int, ...] = (128, 256, 512)
    num_res_channels: int = 512
    num_res_layers: int = 2
    downsample_parameters: tuple[tuple[int, ...], ...] = ((2, 4, 1, 1),) * 3
    """Per level: stride, kernel, dilation, padding."""
    upsample_parameters: tuple[tuple[int, ...], ...] = ((2, 4, 1, 1, 0),) * 3
    """Per level: stride, kernel, dilation, padding, output padding."""
    num_embeddings: int = 256
    embedding_dim: int = 4

    def __post_init__(self) -> None:
        levels = len(self.num_channels)
        if any(row[0] < 1 or row[1] < 1 for row in (*self.downsample_parameters, *self.upsample_parameters)):
            raise ConfigError("vqgan: strides and kernels must be 1 or more")
        if levels == 0 or len(self.downsample_parameters) != levels or len(self.upsample_parameters) != levels:
            raise ConfigError(
                f"vqgan: {levels} levels in num_channels need as many downsample and upsample rows, found "
                f"{len(self.downsample_parameters)} and {len(self.upsample_parameters)}"
            )

    @property
    def stride(self) -> int:
        """Pixels per latent position along a side."""
        return math.prod(row[0] for row in self.downsample_parameters)


@dataclass(frozen=True)
class Quantised:
    """What the quantiser makes of a latent."""

    latents: Tensor
    """(N, D, h, w): codebook vectors; in training the gradient passes straight through to the encoder."""
    indices: Tensor
    """(N, h, w) int64."""
    commitment: Tensor
    """Scalar: commitment cost times the mean squared distance."""


class Vqgan(nn.Module):
    """Pixels (N, 1, H, W) in [-1, 1] ⇄ latents (N, embedding_dim, H / stride, W / stride)."""

    def __init__(self, config: VqganConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quantizer = Quantizer(config)

    def encode(self, image: Tensor) -> Tensor:
        """Latents before quantisation."""
        return cast(Tensor, self.encoder(image))

    def quantise(self, latents: Tensor) -> Tensor:
        """Each position replaced by its nearest codebook vector."""
        return self.quantizer.quantizer.look_up(latents).latents

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels from latents, quantised or not."""
        return cast(Tensor, self.decoder(latents))

    def forward(self, image: Tensor) -> tuple[Tensor, Quantised]:
        """Reconstruction and what lay between; in training mode the codebook moves (once per call)."""
        quantised = self.quantizer.quantizer(self.encode(image))
        return self.decode(quantised.latents), quantised


class Encoder(nn.Module):
    """Strided convolutions, residual units after each, and one convolution to the code's dimension."""

    def __init__(self, config: VqganConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        ch = config.in_channels
        for c_out, (stride, kernel, dilation, padding) in zip(
            config.num_channels, config.downsample_parameters, strict=True
        ):
            conv = nn.Conv2d(ch, c_out, kernel, stride, padding, dilation)
            self.blocks.append(Convolution(conv, activated=True))
            self.blocks.extend(ResidualUnit(c_out, config.num_res_channels) for _ in range(config.num_res_layers))
            ch = c_out
        self.blocks.append(Convolution(nn.Conv2d(ch, config.embedding_dim, 3, padding=1), activated=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, embedding_dim, h, w)."""
        for block in self.blocks:
            x = block(x)
        return x


class Decoder(nn.Module):
    """The encoder's mirror; no activation at its end."""

    def __init__(self, config: VqganConfig) -> None:
        super().__init__()
        widths = tuple(reversed(config.num_channels))
        first = nn.Conv2d(config.embedding_dim, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList([Convolution(first, activated=False)])
        for i, (stride, kernel, dilation, padding, output_padding) in enumerate(config.upsample_parameters):
            last = i == len(widths) - 1
            c_in, c_out = widths[i], config.out_channels if last else widths[i + 1]
            self.blocks.extend(ResidualUnit(c_in, config.num_res_channels) for _ in range(config.num_res_layers))
            conv = nn.ConvTranspose2d(
                c_in, c_out, kernel, stride, padding, output_padding=output_padding, dilation=dilation
            )
            self.blocks.append(Convolution(conv, activated=not last))

    def forward(self, z: Tensor) -> Tensor:
        """(N, embedding_dim, h, w) → (N, out_channels, H, W)."""
        *inner, last = self.blocks
        for block in inner:
            z = block(z)
        # Also under autocast the last layer is float32: rounded to bfloat16, pixels would fall on a staircase.
        with torch.autocast(z.device.type, enabled=False):
            return cast(Tensor, last(z.float()))


class Convolution(nn.Module):
    """A convolution, with or without a ReLU after it."""

    def __init__(self, conv: nn.Module, *, activated: bool) -> None:
        super().__init__()
        self.conv = conv
        self.activated = activated

    def forward(self, x: Tensor) -> Tensor:
        """The convolution's output, rectified where `activated`."""
        y = cast(Tensor, self.conv(x))
        return F.relu(y) if self.activated else y


class ResidualUnit(nn.Module):
    """ReLU(x + conv(ReLU(conv(x))))."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = Convolution(nn.Conv2d(channels, hidden, 3, padding=1), activated=True)
        self.conv2 = Convolution(nn.Conv2d(hidden, channels, 3, padding=1), activated=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape unchanged."""
        return F.relu(x + self.conv2(self.conv1(x)))


class Quantizer(nn.Module):
    """A shell that exists for the published names (`quantizer.quantizer.*`)."""

    def __init__(self, config: VqganConfig) -> None:
        super().__init__()
        self.quantizer = Codebook(config.num_embeddings, config.embedding_dim)


class Codebook(nn.Module):
    """K code vectors of D dimensions; in training mode they follow the encoder by exponential moving average."""

    ema_cluster_size: Tensor
    ema_w: Tensor

    def __init__(self, codes: int, dimension: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, dimension)
        self.embedding.weight.requires_grad_(False)
        self.register_buffer("ema_cluster_size", torch.zeros(codes))
        self.register_buffer("ema_w", self.embedding.weight.detach().clone())

    def look_up(self, latents: Tensor) -> Quantised:
        """The nearest code at each position, (N, D, h, w) in float32; moves nothing."""
        flat = latents.float().permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
        codes = self.embedding.weight.float()
        distances = flat.square().sum(1, keepdim=True) + codes.square().sum(1) - 2 * flat @ codes.t()
        indices = distances.argmin(dim=1).view(latents.shape[0], *latents.shape[2:])
        nearest = F.embedding(indices, codes).permute(0, 3, 1, 2).contiguous()
        return Quantised(nearest, indices, COMMITMENT_COST * F.mse_loss(latents.float(), nearest.detach()))

    def forward(self, latents: Tensor) -> Quantised:
        """As `look_up`, with the gradient passed straight through; in training mode the codes move afterwards."""
        found = self.look_up(latents)
        if not self.training:
            return found
        self._follow(latents, found.indices)
        return Quantised(latents + (found.latents - latents).detach(), found.indices, found.commitment)

    @torch.no_grad()
    def _follow(self, latents: Tensor, indices: Tensor) -> None:
        flat = latents.float().permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
        one_hot = F.one_hot(indices.reshape(-1), self.ema_cluster_size.shape[0]).to(flat.dtype)
        self.ema_cluster_size.lerp_(one_hot.sum(0), 1 - CODEBOOK_DECAY)
        self.ema_w.lerp_(one_hot.t() @ flat, 1 - CODEBOOK_DECAY)
        # Laplace smoothing keeps codes that nobody uses from dividing by zero.
        n, k = self.ema_cluster_size.sum(), self.ema_cluster_size.shape[0]
        smoothed = (self.ema_cluster_size + CODEBOOK_EPSILON) / (n + k * CODEBOOK_EPSILON) * n
        self.embedding.weight.copy_(self.ema_w / smoothed.unsqueeze(1))
