"""The model, loaded once and run on one thread.

CUDA state (graphs, compiled kernels, allocator pools) belongs to the thread that made it, so one owner thread holds the
network and everything that touches the device runs there, whichever Celery pool calls; images that wait together run
together (`worker.batching`). Before the first image a golden
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
from worker.batching import BatchingSuppressor, BatchPolicy, batching
from worker.errors import SelfCheckFailedError

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_BATCH_ON_CUDA = 8
"""Where a graph is captured for every batch; a CPU is as busy with one image as with eight, and needs less memory."""


class ModelHost:
    """One model on one device, used through `run`."""

    def __init__(
        self,
        *,
        model: str,
        weights_dirs: list[Path],
        preset: str,
        steps: int,
        device: str,
        torch_threads: int,
        max_batch: int = 0,
        batch_window_s: float = 0.0,
    ) -> None:
        """Names what to load; nothing is loaded before `start`. `model` empty = the shipped default, `steps` 0 = the
        preset's own, `device` "auto" = CUDA when present, `torch_threads` 0 = torch decides, `max_batch` 0 = one image
        at a time on the CPU and `MAX_BATCH_ON_CUDA` on CUDA."""
        self._model = model
        self._weights_dirs = weights_dirs
        self._preset = preset
        self._steps = steps
        self._device = device
        self._torch_threads = torch_threads
        self._max_batch = max_batch
        self._batch_window_s = batch_window_s
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device-owner")
        self._suppressor: BatchingSuppressor | None = None

    def start(self) -> ModelIdentity:
        """Load the model and run the golden check, both on the owner thread.

        Raises models' WeightsError (missing, altered or foreign weights) or SelfCheckFailedError.
        """
        suppressor = self._owner.submit(self._load).result()
        default = MAX_BATCH_ON_CUDA if suppressor.identity.device.startswith("cuda") else 1
        policy = BatchPolicy(self._max_batch or default, self._batch_window_s)
        self._suppressor = batching(suppressor, self._owner, policy)
        return suppressor.identity

    def run(self, work: Callable[[Suppressor], T]) -> T:
        """`work(suppressor)` on the caller's thread; what the suppressor is asked runs on the owner thread."""
        return work(self._started())

    def stop(self) -> None:
        """Finish what is waiting and take nothing more."""
        self._owner.shutdown()

    @property
    def batch_limit(self) -> int:
        """Most images that run at once. Raises SelfCheckFailedError before `start`."""
        return self._started().batch_limit

    def _load(self) -> Suppressor:
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
        return suppressor

    def _started(self) -> BatchingSuppressor:
        if self._suppressor is None:
            raise SelfCheckFailedError("the model was not started: no golden check has passed in this worker")
        return self._suppressor
