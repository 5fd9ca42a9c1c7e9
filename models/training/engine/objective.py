"""What the engine trains: networks, the batch of each step, and the loss terms of each network.

Every kind of training (`vqgan`, `ldm`, `bsdiff`, `peer`, `residual-unet`) is one class with this interface. Its module
in `models.training.objectives` offers the factory that `models.training.kinds` names:

    def make_objective(config: JsonFields, task: Task) -> Objective[...]

`config` is the configuration's table of that kind (`[vqgan]`, `[bsdiff]`, …): read every field, then call `finish()`.
The networks must be built under the seed that the engine sets beforehand, so nothing else is to be seeded there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from models.manifest import Preset
from models.training.batches import Batch, Mixture, draw_batch, generator_for
from models.training.data import Pair, TrainingData
from models.training.pair_batches import plain_batch

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class Task:
    """What every kind of training is told, beside its own configuration."""

    data: TrainingData
    """The training split, on the CPU; `batch` draws from it."""
    mixture: Mixture
    """How many images of a batch come from where; their sum is the batch."""
    image_size: int
    """Side of the square that the finished model sees, pixels; `data.pairs` has this side."""
    side: int
    """Side of the training crops, pixels; at most `image_size`."""
    seed: int
    steps: int
    """Length of the whole training."""
    device: torch.device
    """Where the engine puts networks and batches; frozen networks of the objective's own are to be put there too."""
    augment: bool = True

    def batch(self, step: int) -> tuple[Batch, torch.Generator]:
        """The images of a step, and the generator for whatever else the step draws (timesteps, noise)."""
        generator = generator_for(self.seed, step)
        if self.augment:
            return draw_batch(self.data, self.mixture, self.side, generator), generator
        return plain_batch(self.data, self.mixture.pairs, self.side, generator), generator


@dataclass(frozen=True)
class Installable:
    """A finished model: what `models.manifest` needs to install it beside its weight files."""

    architecture: str
    config: Mapping[str, object]
    presets: Mapping[str, Preset]
    files: Mapping[str, Mapping[str, Tensor]]
    """Weight file name → state dict."""


class Objective(Protocol[BatchT]):
    """One training. Inherit from it explicitly; only the first three members have no default.

    A batch is a frozen dataclass whose tensors all have the images along their first dimension: the engine moves it to
    the device and cuts it into micro-batches. All that is random (crops, timesteps, noise) belongs into the batch, so
    that a batch in parts, or drawn again after an interruption, is the same batch.
    """

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks to train, in the order of their updates; the same modules at every call."""
        ...

    def draw(self, step: int) -> BatchT:
        """The batch of a step, on the CPU: a pure function of seed and step. May be called from another thread."""
        ...

    def losses(self, name: str, batch: BatchT, step: int) -> Mapping[str, Tensor]:
        """Named, already weighted scalar terms, means over the batch, whose sum network `name` is to make small.

        Called under autocast where mixed precision is on (switch it off locally where rounding hurts) and with every
        other network of `networks` frozen: what they give carries no gradient to their weights.
        """
        ...

    def before_step(self, step: int) -> None:
        """Called once before each step's batches: for what is done to a network other than by gradient."""
        return

    def inputs(self) -> Mapping[str, str]:
        """What the training stands on beside the pairs, name → digest: with other inputs it cannot go on."""
        return {}

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable | None:
        """The model made of the averaged networks; None when it is no bone-suppression method by itself."""
        return None

    def figures(self, averaged: Mapping[str, nn.Module], validation: Iterable[Pair]) -> Mapping[str, float]:
        """Figures on pairs left out of training, for trainings that give no model; name (with unit) → value."""
        return {}
