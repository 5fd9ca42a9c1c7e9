"""Changes of geometry, tone and noise that turn few images into many: the bone residual goes through each of them.

Tensors are (N, C, H, W) float32 in display units [0, 1]; every draw comes from the generator that is passed in.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from models.gaussian import high_pass


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """(n, 1, 1, 1) draws from [low, high)."""
    return low + (high - low) * torch.rand((n, 1, 1, 1), generator=generator)


def chance(n: int, probability: float, generator: torch.Generator) -> Tensor:
    """(n, 1, 1, 1): 1 with `probability`, else 0."""
    return (torch.rand((n, 1, 1, 1), generator=generator) < probability).float()


def crop(source: Tensor, side: int, generator: torch.Generator, *, scale: tuple[float, float]) -> Tensor:
    """A randomly turned, scaled, bent and mirrored crop of (C, H, W): (C, side, side); outside the source 0."""

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    _, height, width = source.shape
    angle = math.radians(draw(-8, 8))
    zoom = math.exp(draw(math.log(scale[0]), math.log(scale[1])))
    aspect = math.exp(draw(-0.1, 0.1))
    mirror = 1.0 if draw(0, 1) < 0.5 else -1.0
    rows = (torch.arange(side).float() - (side - 1) / 2) / zoom * aspect
    columns = (torch.arange(side).float() - (side - 1) / 2) / zoom / aspect * mirror
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    bend = F.interpolate(torch.randn((1, 2, 6, 6), generator=generator), size=(side, side), mode="bicubic")[0]
    bend = bend * draw(0, 5)
    room_y, room_x = (max(0.0, (extent - side / zoom) / 2) + 24 for extent in (height, width))
    centre_y, centre_x = draw(-room_y, room_y), draw(-room_x, room_x)
    at_y = math.cos(angle) * y - math.sin(angle) * x + centre_y + bend[0]
    at_x = math.sin(angle) * y + math.cos(angle) * x + centre_x + bend[1]
    grid = torch.stack([at_x / (width / 2), at_y / (height / 2)], -1)
    return F.grid_sample(source[None], grid[None], mode="bilinear", align_corners=False)[0]


def exposed(soft: Tensor, bone: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Path integrals in cm of water, (N, 1, H, W) each, as a radiograph and its bone residual in display units.

    A random sigmoid characteristic curve, as on a PACS screen: about 8 cm of water is lung, about 18 mediastinum.
    """
    n = soft.shape[0]
    bone = bone * uniform(n, 0.7, 1.7, generator)
    centre, width = uniform(n, 7.5, 12.5, generator), uniform(n, 2.2, 5.5, generator)
    low, high = uniform(n, -0.02, 0.12, generator), uniform(n, 0.85, 1.02, generator)
    floor = torch.sigmoid(-centre / width)

    def shown(path: Tensor) -> Tensor:
        return low + (high - low) * (torch.sigmoid((path - centre) / width) - floor) / (1 - floor)

    radiograph = shown(soft + bone)
    return radiograph, radiograph - shown(soft)


def overlaid(soft: Tensor, bone: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A real soft-tissue image, display units, under projected bone, cm of water: radiograph and bone residual."""
    n = soft.shape[0]
    slope = uniform(n, 0.03, 0.11, generator) * (4 * soft * (1 - soft) + uniform(n, 0.1, 0.5, generator)).clamp(0, 1.2)
    residual = slope * bone
    residual = residual * (soft > 0.02)
    return soft + residual, residual


def bone_scaled(cxr: Tensor, residual: Tensor, generator: torch.Generator, sigma: float) -> tuple[Tensor, Tensor]:
    """Stronger or weaker bone: the residual above `sigma` px is added or taken away, in half of the images."""
    n = cxr.shape[0]
    extra = (uniform(n, 0.75, 1.35, generator) - 1) * chance(n, 0.5, generator)
    change = extra * high_pass(residual, sigma)
    return cxr + change, residual + change


def retoned(cxr: Tensor, residual: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Another monotone tone curve and another edge enhancement, the same for the radiograph and its soft tissue."""
    n = cxr.shape[0]
    gamma = torch.exp(uniform(n, -0.55, 0.55, generator))
    bend = uniform(n, 0.0, 0.8, generator) * chance(n, 0.5, generator)

    def curve(image: Tensor) -> Tensor:
        power = image.clamp(1e-3, 1.2) ** gamma
        s_shaped = 0.5 + 0.5 * torch.sin(math.pi * (power.clamp(0, 1) - 0.5))
        return (1 - bend) * power + bend * s_shaped

    soft = curve(cxr - residual)
    cxr = curve(cxr)
    residual = cxr - soft
    for sigma in (5.0, 18.0):
        amount = uniform(n, 0.0, 0.9, generator) * chance(n, 0.35, generator)
        cxr, residual = cxr + amount * high_pass(cxr, sigma), residual + amount * high_pass(residual, sigma)
    gain, offset = uniform(n, 0.6, 1.05, generator), uniform(n, -0.05, 0.2, generator)
    return cxr * gain + offset, residual * gain


def noisy(cxr: Tensor, generator: torch.Generator) -> Tensor:
    """Quantum noise of random strength, partly smoothed, in two images of three; then the display's range."""
    n = cxr.shape[0]
    noise = torch.randn(cxr.shape, generator=generator)
    noise = torch.lerp(noise, F.avg_pool2d(noise, 3, stride=1, padding=1) * 2, uniform(n, 0.0, 1.0, generator))
    return (cxr + noise * uniform(n, 0.0, 0.02, generator) * chance(n, 0.66, generator)).clamp(0, 1)
