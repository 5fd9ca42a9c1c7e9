"""The model, loaded once and run on one thread.

CUDA state (graphs, compiled kernels, allocator pools) belongs to the thread that made it, so one owner thread holds the
network and everything that touches the device runs there, whichever Celery pool calls. Before the first image a golden
phantom is run and compared; a worker whose result differs refuses work instead of delivering doubtful images.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch

from models import golden, library
from models.suppressor import ModelIdentity, Suppressor
from service.logs import log_event
from worker.errors import SelfCheckFailedError

logger = logging.getLogger(__name__)
T = TypeVar("T")


class ModelHost:
    """One model on one device, used through `run`."""

    def __init__(
        self, *, model: str, weights_dirs: list[Path], preset: str, steps: int, device: str, torch_threads: int
    ) -> None:
        """Names what to load; nothing is loaded before `start`. `model` empty = the shipped default, `steps` 0 = the
        preset's own, `device` "auto" = CUDA when present, `torch_threads` 0 = torch decides."""
        self._model = model
        self._weights_dirs = weights_dirs
        self._preset = preset
        self._steps = steps
        self._device = device
        self._torch_threads = torch_threads
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device-owner")
        self._suppressor: Suppressor | None = None

    def start(self) -> ModelIdentity:
        """Load the model and run the golden check, both on the owner thread.

        Raises models' WeightsError (missing, altered or foreign weights) or SelfCheckFailedError.
        """
        return self._owner.submit(self._load).result()

    def run(self, work: Callable[[Suppressor], T]) -> T:
        """`work(suppressor)` on the owner thread; blocks until it is done and returns or raises what it did."""
        return self._owner.submit(lambda: work(self._loaded())).result()

    def _load(self) -> ModelIdentity:
        if self._torch_threads > 0:
            torch.set_num_threads(self._torch_threads)
        manifest = library.find(self._model, self._weights_dirs)
        suppressor = library.load_manifest(manifest, self._preset, self._steps, self._device)
        check = golden.verify(suppressor, manifest)
        if check is None:
            log_event(logger, "golden_check_absent", model=manifest.name)
        else:
            log_event(
                logger,
                "golden_check",
                model=check.model,
                deviation=f"{check.deviation:.1e}",
                tolerance=f"{check.tolerance:.0e}",
                passed=check.ok,
            )
            if not check.ok:
                raise SelfCheckFailedError(
                    f"model {check.model} on {suppressor.identity.device}: expected the golden phantom within "
                    f"{check.tolerance:.0e}, found a deviation of {check.deviation:.1e}; this worker refuses work"
                )
        self._suppressor = suppressor
        return suppressor.identity

    def _loaded(self) -> Suppressor:
        if self._suppressor is None:
            raise SelfCheckFailedError("the model was not started: no golden check has passed in this worker")
        return self._suppressor
