"""The model of these tests: an exact copy step. Everything around it, batching included, is the product's own.

It finds no bone, so that the derived image has the source's pixels: what arrives in the PACS says of which source it
was made, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.samplers import OnStep
from models.suppressor import ModelIdentity, Suppressor
from worker.model_host import ModelHost

IDENTITY = ModelIdentity("copy-step", "1", "copy", "0" * 64, "one-pass", 2, "float32", "cpu")


class CopyStep:
    """Implements `models.suppressor.Suppressor`."""

    identity = IDENTITY
    image_size = 64

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """No bone."""
        on_step(1, IDENTITY.steps)
        residual = copied(cxr)
        on_step(2, IDENTITY.steps)
        return residual


def copied(cxr: Tensor) -> Tensor:
    """A residual of nothing, between the first and the second step."""
    return torch.zeros_like(cxr)


class CopyHost(ModelHost):
    """The product's host with the copy step as its model."""

    def _load(self) -> Suppressor:
        torch.set_num_threads(1)
        return CopyStep()
