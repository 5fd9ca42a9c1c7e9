"""CUDA graphs: a function of fixed shapes recorded once for each batch size and replayed without launching anew.

At batch 1 a network of hundreds of small kernels waits for the processor that launches them; a recorded graph does not.
Graphs belong to the thread that recorded them. Whatever stands in the way (no card, a batch of another size, a capture
that fails or whose replay differs) leaves the ordinary call, with the reason in the log; a graph is never trusted
before its first replay has been compared with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

BATCH_SIZES = (1, 2, 4, 8)
TOLERANCE = 1e-2
"""Largest difference between the first replay and the ordinary call, as a share of the output's largest value: kernels
may be chosen anew at capture; anything beyond rounding (bfloat16: 0.4 %) is a fault."""

Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Recorded:
    """A captured call: writing to the inputs it was captured with and `replay`ing fills `output` anew."""

    replay: Callable[[], None]
    output: Tensor


class GraphBackend(Protocol):
    """Records the work that a function enqueues."""

    def record(self, work: Callable[[], Tensor]) -> Recorded:
        """Runs `work`, whose tensors stay where they are, and keeps what it did. Raises RuntimeError."""
        ...


class CudaGraphs:
    """The real thing."""

    def record(self, work: Callable[[], Tensor]) -> Recorded:
        """See `GraphBackend.record`; warmed up on a side stream, as capture demands."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                work()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = work()
        return Recorded(graph.replay, output)


def graphs_for(device: torch.device) -> GraphBackend | None:
    """CUDA graphs on CUDA, nothing elsewhere."""
    return CudaGraphs() if device.type == "cuda" else None


class GraphedFunction:
    """`function(x, *constants)`, x (N, …), replayed from a graph where there is one.

    The constants have the same shapes in every call and no batch dimension of their own. A batch between two sizes is
    filled up to the larger with copies of its last image.
    """

    def __init__(
        self, name: str, function: Function, backend: GraphBackend | None, sizes: tuple[int, ...] = BATCH_SIZES
    ) -> None:
        """`backend` None: always the ordinary call."""
        self._name, self._function, self._backend, self._sizes = name, function, backend, sizes
        self._captured: dict[tuple[torch.Size, ...], _Captured | None] = {}
        self._thread: int | None = None

    def __call__(self, x: Tensor, *constants: Tensor) -> Tensor:
        """A tensor of the caller's own."""
        size = next((size for size in self._sizes if size >= x.shape[0]), None)
        if self._backend is None or size is None or not self._on_own_thread():
            return self._function(x, *constants)
        padded = x if x.shape[0] == size else torch.cat([x, x[-1:].expand(size - x.shape[0], *x.shape[1:])])
        key = tuple(tensor.shape for tensor in (padded, *constants))
        if key not in self._captured:
            self._captured[key] = self._capture(self._backend, padded, constants)
        captured = self._captured[key]
        if captured is None:
            return self._function(x, *constants)
        return captured.run(padded, constants)[: x.shape[0]]

    def _on_own_thread(self) -> bool:
        here = threading.get_ident()
        if self._thread is None:
            self._thread = here
        if self._thread != here:
            logger.warning("graph of %s not used: it belongs to another thread", self._name)
        return self._thread == here

    def _capture(self, backend: GraphBackend, x: Tensor, constants: tuple[Tensor, ...]) -> _Captured | None:
        """None where it cannot be had or does not do the same."""
        expected = self._function(x, *constants)
        # Recorded with other numbers, so that a replay that ignores its inputs cannot pass.
        inputs = tuple(torch.zeros_like(tensor) for tensor in (x, *constants))
        try:
            captured = _Captured(inputs, backend.record(lambda: self._function(*inputs)))
            found = captured.run(x, constants)
        except RuntimeError as error:
            logger.warning("graph of %s for a batch of %d not used: %s", self._name, x.shape[0], _first_line(error))
            return None
        deviation = float((found.float() - expected.float()).abs().max() / expected.float().abs().max().clamp_min(1e-6))
        if not deviation <= TOLERANCE:  # also NaN
            logger.warning(
                "graph of %s for a batch of %d not used: its replay differs by %.1e", self._name, x.shape[0], deviation
            )
            return None
        logger.info("graph of %s for a batch of %d recorded", self._name, x.shape[0])
        return captured


@dataclass(frozen=True)
class _Captured:
    """Buffers that a graph reads, and the graph."""

    inputs: tuple[Tensor, ...]
    recorded: Recorded

    def run(self, x: Tensor, constants: tuple[Tensor, ...]) -> Tensor:
        for buffer, value in zip(self.inputs, (x, *constants), strict=True):
            buffer.copy_(value)
        self.recorded.replay()
        return self.recorded.output.clone()  # the next replay writes over the original


def _first_line(error: RuntimeError) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
