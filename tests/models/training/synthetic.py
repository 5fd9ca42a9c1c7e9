"""A tiny stand-in for the development data: striped lungs, drawn from a seed."""

from __future__ import annotations

import torch

from models.training.data import TrainingData


def synthetic_data(side: int = 96) -> TrainingData:
    """Two pairs, three projections, two radiographs, side x side."""
    generator = torch.Generator().manual_seed(11)
    y = torch.linspace(0, 1, side).view(side, 1).expand(side, side)
    x = y.T
    soft = 0.3 + 0.3 * torch.rand((2, 1, side, side), generator=generator) * x
    ribs = (torch.sin(30 * (y + 0.3 * x)) > 0.4).float()
    residual = (0.1 * ribs).expand(2, 1, side, side)
    lung = torch.ones(2, 1, side, side)
    paths = torch.stack([8 + 6 * x, ribs, lung[0, 0]])[None].repeat(3, 1, 1, 1)
    pairs = torch.cat([soft + residual, residual, torch.ones_like(residual), lung], 1)
    return TrainingData(pairs, paths, torch.cat([soft + 0.5 * residual, lung], 1))
