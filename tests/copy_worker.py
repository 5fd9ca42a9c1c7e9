"""The gpu worker with an exact copy step in place of a network, for runs that are about everything around it.

The whole way stays the product's own: claim, lease, decoding, gate, derived objects, previews, records. Only the bone
residual is zero everywhere, so that the soft-tissue object has its source's stored values exactly. Nothing of it is
part of what is shipped. Run: python -m tests.copy_worker, with the settings of any worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor

from models.suppressor import ModelIdentity, Suppressor
from service.settings import Settings, load_settings
from worker import app
from worker.model_host import ModelHost

T = TypeVar("T")
COPY_STEP = ModelIdentity(
    name="exact-copy",
    version="1",
    architecture="none",
    sha256="c0" * 32,
    sampler="one-pass",
    steps=1,
    precision="float32",
    device="cpu",
)


class CopySuppressor:
    """Takes nothing away: a residual of zero, at once."""

    identity = COPY_STEP
    image_size = 64

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        del seeds
        on_step(1, 1)
        return torch.zeros_like(cxr)


class CopyHost:
    """What a model host is to the worker, without weights, golden check and thread of its own."""

    batch_limit = 1

    def start(self) -> ModelIdentity:
        return COPY_STEP

    def run(self, work: Callable[[Suppressor], T]) -> T:
        return work(CopySuppressor())

    def stop(self) -> None:
        pass


def run_copy_worker(settings: Settings) -> None:
    """The gpu worker of `settings`, until it is told to stop."""
    torch.set_num_threads(1)  # a process that computes next to nothing keeps one core, not all
    app.model_host = _copy_host
    app.run_gpu(settings)


def _copy_host(settings: Settings) -> ModelHost:
    del settings
    return cast(ModelHost, CopyHost())


if __name__ == "__main__":
    run_copy_worker(load_settings())
