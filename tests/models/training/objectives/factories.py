"""Phantom pairs as training data, a task on them, and a few steps of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from models.phantom.render import render
from models.training.batches import Batch, Mixture
from models.training.data import TrainingData
from models.training.engine.objective import Objective, Task
from models.training.engine.settings import EngineSettings, OptimiserSettings
from models.training.engine.trainer import Trainer

SIDE = 48
BatchT = TypeVar("BatchT")


@lru_cache(maxsize=2)
def phantom_data(size: int = 64) -> TrainingData:
    """Two phantom patients as pairs; no projections, no unpaired radiographs."""
    pairs = []
    for seed in (3, 4):
        phantom = render(size, seed)
        sure = np.ones_like(phantom.bone)
        pairs.append(torch.from_numpy(np.stack([phantom.radiograph, phantom.bone, sure, sure])))
    return TrainingData(torch.stack(pairs), torch.empty(0, 3, size, size), torch.empty(0, 2, size, size))


def phantom_task(**changes: object) -> Task:
    """Two unaugmented crops a step, unless `changes` say otherwise."""
    fields: dict[str, object] = {
        "data": phantom_data(),
        "mixture": Mixture(pairs=2, projections=0, overlays=0),
        "image_size": 64,
        "side": SIDE,
        "seed": 1,
        "steps": 20,
        "device": torch.device("cpu"),
        "augment": False,
    }
    return Task(**{**fields, **changes})  # type: ignore[arg-type]


def phantom_batch() -> Batch:
    """The task's first batch."""
    return phantom_task().batch(0)[0]


def train(objective: Objective[BatchT], folder: Path, steps: int, learning_rate: float = 3e-3) -> Trainer:
    """The engine after `steps` steps."""
    optimiser = OptimiserSettings(learning_rate=learning_rate, warm_up=0, averaging=0.9)
    trainer = Trainer(
        objective.networks, EngineSettings(steps, optimiser), folder / "checkpoint.pt", torch.device("cpu")
    )
    trainer.run(objective, lambda _step, _terms: None)
    return trainer


@torch.no_grad()
def loss_of(objective: Objective[BatchT], name: str, batch: BatchT) -> dict[str, float]:
    """The terms of one network on one batch."""
    return {term: float(value) for term, value in objective.losses(name, batch, 0).items()}


def gradients(objective: Objective[BatchT], name: str, batch: BatchT) -> Mapping[str, bool]:
    """Which networks the losses of `name` would move, nothing being frozen."""
    for network in objective.networks.values():
        network.zero_grad()
    total: Tensor = torch.stack(list(objective.losses(name, batch, 0).values())).sum()
    total.backward()  # type: ignore[no-untyped-call]
    return {
        other: any(weight.grad is not None and bool(weight.grad.any()) for weight in network.parameters())
        for other, network in objective.networks.items()
    }
