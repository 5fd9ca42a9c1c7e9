"""Batches of a training on pairs alone, without augmentation: whole crops as they are, for comparison with it."""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.batches import Batch
from models.training.data import TrainingData


def plain_batch(data: TrainingData, count: int, side: int, generator: torch.Generator) -> Batch:
    """`count` unturned, unscaled, untoned crops of random pairs."""
    crops: list[Tensor] = []
    height, width = data.pairs.shape[2:]
    for index in torch.randint(len(data.pairs), (count,), generator=generator).tolist():
        top = int(torch.randint(height - side + 1, (), generator=generator))
        left = int(torch.randint(width - side + 1, (), generator=generator))
        crops.append(data.pairs[index, :, top : top + side, left : left + side])
    images = torch.stack(crops)
    no, nothing = torch.zeros(count, 1, 1, 1), torch.zeros_like(images[:, :1])
    return Batch(
        cxr=images[:, :1].clamp(0, 1) * 2 - 1,
        residual=images[:, 1:2] * 2,
        exact=no,
        trust=images[:, 2:3].clone(),
        bone=nothing,
        mapped=no,
        nodules=nothing,
        before=nothing,
        difference=no,
    )
