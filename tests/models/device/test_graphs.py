from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from models.device.graphs import CudaGraphs, GraphedFunction, Recorded


@dataclass
class ReplayedOnCpu:
    """What CUDA's graphs do, done again: the output's memory is fixed, a replay computes from the inputs' memory."""

    records: int = 0
    replays: int = 0
    wrong: Callable[[Tensor], Tensor] | None = None

    def record(self, work: Callable[[], Tensor]) -> Recorded:
        self.records += 1
        output = work().clone()

        def replay() -> None:
            self.replays += 1
            result = work()
            output.copy_(self.wrong(result) if self.wrong else result)

        return Recorded(replay, output)


class NoCapture:
    def record(self, work: Callable[[], Tensor]) -> Recorded:
        raise RuntimeError("operation not permitted when stream is capturing\nmore lines")


class ReplaysWhatItFirstSaw:
    def record(self, work: Callable[[], Tensor]) -> Recorded:
        return Recorded(lambda: None, work().clone())


def affine(x: Tensor, factor: Tensor) -> Tensor:
    return x * factor + 1


def images(count: int, seed: int = 0) -> Tensor:
    return torch.randn((count, 2, 3, 3), generator=torch.Generator().manual_seed(seed))


FACTOR = torch.full((1, 2, 1, 1), 3.0)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_a_replay_gives_what_the_function_gives_also_for_batches_between_two_sizes(count: int) -> None:
    backend = ReplayedOnCpu()
    graphed = GraphedFunction("f", affine, backend)
    for seed in (1, 2):
        x = images(count, seed)
        assert torch.equal(graphed(x, FACTOR), affine(x, FACTOR))
    assert backend.records == 1


def test_each_size_is_recorded_once_and_a_constant_may_change_its_value() -> None:
    backend = ReplayedOnCpu()
    graphed = GraphedFunction("f", affine, backend)
    for count in (1, 2, 1, 2, 4, 3):
        for factor in (FACTOR, -FACTOR):
            assert torch.equal(graphed(images(count), factor), affine(images(count), factor))
    assert backend.records == 3


def test_a_result_is_not_written_over_by_the_next_call() -> None:
    graphed = GraphedFunction("f", affine, ReplayedOnCpu())
    first = graphed(images(1, 1), FACTOR)
    kept = first.clone()
    graphed(images(1, 2), FACTOR)
    assert torch.equal(first, kept)


def test_a_batch_larger_than_every_size_takes_the_ordinary_call() -> None:
    backend = ReplayedOnCpu()
    assert torch.equal(GraphedFunction("f", affine, backend)(images(9), FACTOR), affine(images(9), FACTOR))
    assert backend.records == 0


def test_without_a_backend_nothing_is_recorded() -> None:
    assert torch.equal(GraphedFunction("f", affine, None)(images(2), FACTOR), affine(images(2), FACTOR))


def test_a_capture_that_fails_leaves_the_ordinary_call_and_says_why_once(caplog: pytest.LogCaptureFixture) -> None:
    graphed = GraphedFunction("the U-Net", affine, NoCapture())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert torch.equal(graphed(images(1), FACTOR), affine(images(1), FACTOR))
    assert [record.getMessage() for record in caplog.records] == [
        "graph of the U-Net for a batch of 1 not used: operation not permitted when stream is capturing"
    ]


@pytest.mark.parametrize(
    "backend",
    [
        ReplayedOnCpu(wrong=lambda output: output * 1.1),
        ReplayedOnCpu(wrong=lambda output: output * float("nan")),
        ReplaysWhatItFirstSaw(),
    ],
)
def test_a_replay_that_differs_is_never_used(
    backend: ReplayedOnCpu | ReplaysWhatItFirstSaw, caplog: pytest.LogCaptureFixture
) -> None:
    graphed = GraphedFunction("f", affine, backend)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(graphed(images(1), FACTOR), affine(images(1), FACTOR))
        assert torch.equal(graphed(images(1, 5), FACTOR), affine(images(1, 5), FACTOR))
    assert "differs" in caplog.text


def test_another_thread_than_the_recording_one_takes_the_ordinary_call(caplog: pytest.LogCaptureFixture) -> None:
    backend = ReplayedOnCpu()
    graphed = GraphedFunction("f", affine, backend)
    graphed(images(1), FACTOR)
    replays, found = backend.replays, []
    thread = threading.Thread(target=lambda: found.append(graphed(images(1), FACTOR)))
    thread.start()
    thread.join()
    assert torch.equal(found[0], affine(images(1), FACTOR))
    assert backend.replays == replays
    assert "another thread" in caplog.text


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA card")
def test_on_a_card_a_graph_gives_what_the_function_gives() -> None:
    graphed = GraphedFunction("f", affine, CudaGraphs())
    for count in (1, 3, 8):
        for seed in (1, 2):
            x = images(count, seed).cuda()
            torch.testing.assert_close(graphed(x, FACTOR.cuda()), affine(x, FACTOR.cuda()))
