"""What is no bone and must stay: nodules, catheters and wires, side markers, drawn into training images.

Profiles are (N, 1, side, side) float32, 0 where nothing was drawn; what is drawn is in display units unless it says cm
of water. Every draw comes from the generator that is passed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_NODULES = 5
MOST_TUBES = 3
CM_PER_PIXEL = 0.076
"""Of a CT projection; a radiograph of 512 px is about the same."""
LESS_THAN_LUNG = 0.75
"""Share of a nodule's chord that is soft tissue where there was lung before."""
CURVE_POINTS = 128
LEAST_LUNG = 200
"""Pixels of lung without which a crop gets no nodule."""


@dataclass(frozen=True)
class NoduleKind:
    """Which nodules are drawn."""

    share: float = 0.85
    """Of the images that get any."""
    peak: tuple[float, float] | None = (0.02, 0.2)
    """Brightness at the centre, display units; None: what the chord through the nodule attenuates, cm of water."""
    radius: tuple[float, float] = (4.0, 15.0)
    """px of 512: nodules of 6 to 23 mm."""


def nodules(lungs: Tensor, kind: NoduleKind, generator: torch.Generator) -> Tensor:
    """Up to five ellipsoids an image, with sharper or softer rims, centred where `lungs` (N, 1, side, side) are 1."""
    n, _, side, _ = lungs.shape
    rows, columns = _pixels(side)
    drawn = torch.zeros(n, 1, side, side)
    for index in range(n):
        places = (lungs[index, 0] > 0.5).nonzero()
        if _draw(generator, 0, 1) >= kind.share or len(places) < LEAST_LUNG:
            continue
        for _ in range(int(torch.randint(1, MOST_NODULES + 1, (), generator=generator))):
            angle, radius = _draw(generator, 0, math.pi), _draw(generator, *kind.radius)
            aspect = math.exp(_draw(generator, -0.35, 0.35))
            row, column = places[int(torch.randint(len(places), (), generator=generator))]
            y, x = rows - row, columns - column
            along = (math.cos(angle) * y + math.sin(angle) * x) / (radius * aspect)
            across = (math.cos(angle) * x - math.sin(angle) * y) / (radius / aspect)
            chord = 2 * radius * CM_PER_PIXEL * LESS_THAN_LUNG
            peak = _draw(generator, *kind.peak) if kind.peak else chord * _draw(generator, 0.6, 1.2)
            drawn[index, 0] += peak * (1 - along**2 - across**2).clamp(0, 1) ** _draw(generator, 0.4, 1.2)
    return drawn


def tubes(n: int, side: int, share: float, generator: torch.Generator) -> Tensor:
    """Catheters, drains and wires: smooth bright curves, some with a darker core, in `share` of the images."""
    rows, columns = _pixels(side)
    t = torch.linspace(0, 1, CURVE_POINTS)[:, None]
    drawn = torch.zeros(n, 1, side, side)
    for index in range(n):
        if _draw(generator, 0, 1) >= share:
            continue
        for _ in range(int(torch.randint(1, MOST_TUBES + 1, (), generator=generator))):
            start, bend, end = (torch.rand((3, 2), generator=generator) * 1.3 - 0.15) * side
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
            distance = torch.hypot(rows - curve[:, 0, None, None], columns - curve[:, 1, None, None]).amin(0)
            radius, core = _draw(generator, 0.8, 3.0), _draw(generator, 0, 0.7)
            profile = torch.sigmoid(2 * (radius - distance)) - core * torch.sigmoid(2 * (0.45 * radius - distance))
            drawn[index, 0] = torch.maximum(drawn[index, 0], _draw(generator, 0.05, 0.3) * profile)
    return drawn


def marker_mask(n: int, side: int, share: float, generator: torch.Generator) -> Tensor:
    """Where side markers lie, 0 and 1: letter-like strokes, in `share` of the images."""
    mask = torch.zeros(n, 1, side, side)
    for index in range(n):
        if _draw(generator, 0, 1) >= share:
            continue
        box = int(torch.randint(10, 36, (), generator=generator))
        top, left = (int(torch.randint(0, max(1, side - box), (), generator=generator)) for _ in range(2))
        for _ in range(int(torch.randint(1, 5, (), generator=generator))):
            thick = int(torch.randint(2, 7, (), generator=generator))
            at = int(torch.randint(0, box, (), generator=generator))
            if _draw(generator, 0, 1) < 0.5:
                mask[index, 0, top + at : top + at + thick, left : left + box] = 1
            else:
                mask[index, 0, top : top + box, left + at : left + at + thick] = 1
    return mask


def _pixels(side: int) -> tuple[Tensor, Tensor]:
    rows, columns = torch.meshgrid(torch.arange(side).float(), torch.arange(side).float(), indexing="ij")
    return rows, columns


def _draw(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
