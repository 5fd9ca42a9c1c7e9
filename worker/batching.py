"""Micro-batching: many threads ask for one image each, the device's thread runs as many at once as are waiting.

Decoding, preprocessing and DICOM writing stay with the callers. An image comes out as it does alone: a deadline or a
lost lease takes out its own image only, an error in a batch falls on the image that caused it, and when memory runs out
the batch is halved and tried once more. Nothing else is ever tried: no other model, no other device.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from models.device.memory import free_cached_memory, is_out_of_memory
from models.samplers import OnEstimate, OnStep
from models.suppressor import ModelIdentity, SamplingSuppressor, Suppressor, check_radiographs
from service.logs import log_event
from worker.batch_request import BatchRequest
from worker.errors import DeviceMemoryError, WorkerStoppedError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchPolicy:
    """How images are gathered."""

    max_batch: int
    """Most images in one run of the networks."""
    window_s: float
    """How long the device's thread waits for more images when it has one, but not `max_batch`."""


def batching(suppressor: Suppressor, owner: ThreadPoolExecutor, policy: BatchPolicy) -> BatchingSuppressor:
    """`suppressor` for any number of threads; `owner` has one thread, the only one that calls it."""
    if isinstance(suppressor, SamplingSuppressor):
        return BatchingSamplingSuppressor(suppressor, owner, policy)
    return BatchingSuppressor(suppressor, owner, policy)


@dataclass(frozen=True)
class _Image:
    """One image of a request."""

    request: BatchRequest
    index: int


class BatchingSuppressor:
    """Implements `models.suppressor.Suppressor`, for any number of threads."""

    def __init__(self, suppressor: Suppressor, owner: ThreadPoolExecutor, policy: BatchPolicy) -> None:
        self._suppressor, self._owner, self._window_s = suppressor, owner, policy.window_s
        self._limit = policy.max_batch
        self._waiting: deque[_Image] = deque()
        self._arrived = threading.Condition()

    @property
    def identity(self) -> ModelIdentity:
        """The model's."""
        return self._suppressor.identity

    @property
    def image_size(self) -> int:
        """The model's."""
        return self._suppressor.image_size

    @property
    def batch_limit(self) -> int:
        """Most images in one run, now; falls when memory runs out and does not rise again."""
        return self._limit

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """See `Suppressor.bone_residual`; blocks until these images are done, whatever they were batched with.

        `on_step` runs on the caller's thread, and as (0, total) while the images wait. Besides what the model raises,
        raises DeviceMemoryError and WorkerStoppedError.
        """
        check_radiographs(cxr, seeds, self.image_size)  # here, where it is the caller's own mistake
        request = BatchRequest(cxr, tuple(seeds), self.identity.steps)
        with self._arrived:
            try:
                # One turn for each image: whichever turn comes first takes all it may, a later one finds nothing to do.
                for _ in request.seeds:
                    self._owner.submit(self._turn)
            except RuntimeError:
                raise WorkerStoppedError("expected a worker that takes images, found it stopping") from None
            self._waiting.extend(_Image(request, index) for index in range(len(request.seeds)))
            self._arrived.notify()
        return request.wait(on_step)

    def _turn(self) -> None:
        """On the owner thread."""
        images = self._gather()
        if not images:
            return
        fault = self._run(images)
        if fault is None:
            return
        if is_out_of_memory(fault):
            del fault  # its traceback holds the batch's tensors
            self._run_halved(images)
        else:
            self._run_apart(images, fault)

    def _gather(self) -> list[_Image]:
        until = time.monotonic() + self._window_s
        with self._arrived:
            while 0 < len(self._waiting) < self._limit and (left := until - time.monotonic()) > 0:
                self._arrived.wait(left)
            images: list[_Image] = []
            while self._waiting and len(images) < self._limit:
                image = self._waiting.popleft()
                if image.request.wanted:
                    images.append(image)
            return images

    def _run(self, images: list[_Image]) -> BaseException | None:
        """Runs them together and delivers the results, or returns what was raised."""
        requests = [request for request in dict.fromkeys(image.request for image in images) if request.begin()]
        images = [image for image in images if image.request in requests]
        if not images:
            return None

        def on_step(step: int, total: int) -> None:
            still_wanted = [request.report(step, total) for request in requests]
            if not any(still_wanted):
                raise _NobodyWaitsError

        try:
            residuals = self._suppressor.bone_residual(
                torch.cat([image.request.cxr[image.index : image.index + 1] for image in images]),
                seeds=[image.request.seeds[image.index] for image in images],
                on_step=on_step,
            )
        except _NobodyWaitsError:
            return None
        except BaseException as error:  # also what would end this thread: somebody waits for an answer
            return error
        finally:
            for request in requests:
                request.end()
        for row, image in enumerate(images):
            image.request.deliver(image.index, residuals[row : row + 1])
        return None

    def _run_apart(self, images: list[_Image], fault: BaseException) -> None:
        """After a fault in a batch: each by itself, so that it falls on its cause."""
        if len(images) == 1:
            images[0].request.fail(fault)
            return
        for image in images:
            own = self._run([image])
            if own is not None:
                image.request.fail(_out_of_memory(1) if is_out_of_memory(own) else own)

    def _run_halved(self, images: list[_Image]) -> None:
        """After running out of memory: in two halves, and so from now on; one image is tried once more as it is."""
        half = (len(images) + 1) // 2
        self._limit = min(self._limit, half)
        log_event(logger, "out_of_memory", level=logging.WARNING, images=len(images), retried_with=half)
        free_cached_memory()
        for part in (images[:half], images[half:]):
            fault = self._run(part)
            if fault is None:
                continue
            if not is_out_of_memory(fault):
                self._run_apart(part, fault)
                continue
            del fault
            free_cached_memory()
            for image in part:
                image.request.fail(_out_of_memory(half))


class BatchingSamplingSuppressor(BatchingSuppressor):
    """The same for a model that can be watched; watched images run alone."""

    def __init__(self, suppressor: SamplingSuppressor, owner: ThreadPoolExecutor, policy: BatchPolicy) -> None:
        super().__init__(suppressor, owner, policy)
        self._sampling = suppressor

    def traced_residual(
        self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep, on_estimate: OnEstimate, frames: int
    ) -> Tensor:
        """See `SamplingSuppressor.traced_residual`; both callbacks run on the owner thread."""
        return self._owner.submit(
            lambda: self._sampling.traced_residual(
                cxr, seeds=seeds, on_step=on_step, on_estimate=on_estimate, frames=frames
            )
        ).result()


class _NobodyWaitsError(Exception):
    """Every image of the batch was given up; ends the sampling."""


def _out_of_memory(images: int) -> DeviceMemoryError:
    return DeviceMemoryError(f"expected memory for a batch of {images}, found too little, also when tried again")
