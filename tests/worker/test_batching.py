"""Images that wait together run together, and each comes out as it does alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from models.errors import OutputError
from models.suppressor import ModelIdentity
from tests.worker.conftest import IDENTITY
from worker.batching import BatchingSuppressor, BatchPolicy, batching
from worker.errors import DeadlineExceededError, DeviceMemoryError, WorkerStoppedError

SIDE = 4
STEPS = 3


@dataclass
class ScriptedSuppressor:
    """Residual = image + seed; `before(brightness of each image)` may raise, `gate` holds the device back."""

    before: Callable[[list[float]], None] = lambda _values: None
    image_size: int = SIDE
    identity: ModelIdentity = IDENTITY
    batches: list[list[float]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        values = [round(float(image.mean()), 2) for image in cxr]
        self.batches.append(values)
        self.threads.add(threading.get_ident())
        self.entered.release()
        assert self.gate.wait(20)
        self.before(values)
        for step in range(1, STEPS + 1):
            on_step(step, STEPS)
        return cxr + torch.tensor([float(seed) for seed in seeds]).view(-1, 1, 1, 1)


class Device:
    """A suppressor behind its owner thread, and callers that each have a thread of their own."""

    def __init__(self, suppressor: ScriptedSuppressor, max_batch: int, window_s: float = 0.0) -> None:
        self.suppressor = suppressor
        self.owner = ThreadPoolExecutor(1)
        self.callers = ThreadPoolExecutor(16)
        self.facade: BatchingSuppressor = batching(suppressor, self.owner, BatchPolicy(max_batch, window_s))

    def ask(self, *values: float, seed: int = 0, on_step: Callable[[int, int], None] | None = None) -> Future[Tensor]:
        """Returns once the images stand in line, where the device is held."""
        before = len(self.facade._waiting)
        future = self.callers.submit(
            self.facade.bone_residual,
            torch.cat([image(value) for value in values]),
            seeds=[seed] * len(values),
            on_step=on_step or (lambda _step, _total: None),
        )
        while not self.suppressor.gate.is_set() and len(self.facade._waiting) == before:
            time.sleep(0.001)
        return future

    def hold(self) -> Future[Tensor]:
        """Busies the device with one image, so that what is asked meanwhile stands in line."""
        future = self.callers.submit(
            self.facade.bone_residual, image(-1.0), seeds=[0], on_step=lambda _step, _total: None
        )
        assert self.suppressor.entered.acquire(timeout=20)
        return future


def image(value: float) -> Tensor:
    return torch.full((1, 1, SIDE, SIDE), value)


@pytest.fixture
def device() -> Iterator[Callable[..., Device]]:
    made: list[Device] = []

    def make(
        max_batch: int = 8, window_s: float = 0.0, before: Callable[[list[float]], None] = lambda _values: None
    ) -> Device:
        made.append(Device(ScriptedSuppressor(before), max_batch, window_s))
        return made[-1]

    yield make
    for one in made:
        one.suppressor.gate.set()
        one.callers.shutdown()
        one.owner.shutdown()


MakeDevice = Callable[..., Device]


def test_what_waits_while_the_device_is_busy_runs_together_in_the_order_of_arrival(device: MakeDevice) -> None:
    busy = device(max_batch=3)
    first = busy.hold()
    futures = [busy.ask(value) for value in (0.1, 0.2, 0.3, 0.4)]
    busy.suppressor.gate.set()
    results = [future.result(20) for future in futures]
    assert first.result(20).shape == (1, 1, SIDE, SIDE)
    assert busy.suppressor.batches == [[-1.0], [0.1, 0.2, 0.3], [0.4]]
    assert len(busy.suppressor.threads) == 1
    for value, result in zip((0.1, 0.2, 0.3, 0.4), results, strict=True):
        assert torch.equal(result, image(value))


def test_an_image_waits_no_longer_than_the_window_for_others(device: MakeDevice) -> None:
    open_device = device(max_batch=8, window_s=0.3)
    open_device.suppressor.gate.set()
    futures = [open_device.ask(value) for value in (0.1, 0.2)]
    for future in futures:
        future.result(20)
    assert [sorted(batch) for batch in open_device.suppressor.batches] == [[0.1, 0.2]]  # asked by two threads


def test_a_full_batch_does_not_wait_for_the_window(device: MakeDevice) -> None:
    open_device = device(max_batch=2, window_s=30.0)
    open_device.suppressor.gate.set()
    futures = [open_device.ask(value) for value in (0.1, 0.2)]
    assert [future.result(20).shape for future in futures] == [(1, 1, SIDE, SIDE)] * 2


def test_each_image_keeps_its_own_seed(device: MakeDevice) -> None:
    busy = device()
    busy.hold()
    futures = [busy.ask(0.5, seed=seed) for seed in (1, 2)]
    busy.suppressor.gate.set()
    assert [float(future.result(20).mean()) for future in futures] == [1.5, 2.5]


def test_a_request_of_several_images_is_cut_where_the_batch_is_full_and_comes_back_whole(device: MakeDevice) -> None:
    busy = device(max_batch=2)
    busy.hold()
    spread, single = busy.ask(0.1, 0.2, 0.3), busy.ask(0.4)
    busy.suppressor.gate.set()
    assert torch.equal(spread.result(20), torch.cat([image(0.1), image(0.2), image(0.3)]))
    assert torch.equal(single.result(20), image(0.4))
    assert busy.suppressor.batches[1:] == [[0.1, 0.2], [0.3, 0.4]]


def test_every_step_is_told_on_the_callers_own_thread(device: MakeDevice) -> None:
    open_device, told = device(), []
    open_device.suppressor.gate.set()
    here = threading.get_ident()

    def on_step(step: int, total: int) -> None:
        told.append((step, total, threading.get_ident() == here))

    open_device.facade.bone_residual(image(0.0), seeds=[0], on_step=on_step)
    assert told == [(step, STEPS, True) for step in range(1, STEPS + 1)]


def test_a_deadline_takes_out_its_own_image_only(device: MakeDevice) -> None:
    def too_late(_step: int, _total: int) -> None:
        raise DeadlineExceededError("too late")

    busy = device()
    busy.hold()
    late, other = busy.ask(0.1, on_step=too_late), busy.ask(0.2)
    busy.suppressor.gate.set()
    with pytest.raises(DeadlineExceededError):
        late.result(20)
    assert torch.equal(other.result(20), image(0.2))
    assert busy.suppressor.batches[1:] == [[0.1, 0.2]]


def test_an_image_given_up_while_it_waits_never_reaches_the_device(
    device: MakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.batch_request.WAITING_INTERVAL_S", 0.01)
    told: list[tuple[int, int]] = []

    def too_late(step: int, total: int) -> None:
        told.append((step, total))
        raise DeadlineExceededError("too late")

    busy = device()
    busy.hold()
    late = busy.ask(0.1, on_step=too_late)
    with pytest.raises(DeadlineExceededError):
        late.result(20)
    other = busy.ask(0.2)
    busy.suppressor.gate.set()
    other.result(20)
    assert told == [(0, IDENTITY.steps)]
    assert busy.suppressor.batches[1:] == [[0.2]]


def test_the_sampling_ends_when_nobody_waits_for_any_of_its_images(device: MakeDevice) -> None:
    alone, steps = device(), []
    real = alone.suppressor.bone_residual

    def watched(cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        def count(step: int, total: int) -> None:
            steps.append(step)
            if step == 2:
                assert gave_up.wait(20)
            on_step(step, total)

        return real(cxr, seeds=seeds, on_step=count)

    gave_up = threading.Event()

    def too_late(_step: int, _total: int) -> None:
        gave_up.set()
        raise DeadlineExceededError("too late")

    alone.suppressor.bone_residual = watched  # type: ignore[method-assign]
    alone.suppressor.gate.set()
    with pytest.raises(DeadlineExceededError):
        alone.ask(0.1, on_step=too_late).result(20)
    assert steps in ([1, 2], [1, 2, 3])  # it may have been past the second step's question already


def test_a_caller_that_gives_up_stays_until_the_device_has_let_go(device: MakeDevice) -> None:
    """So that its lease is still there to notice a device that hangs."""
    hanging = device()
    real, resume, given_up = hanging.suppressor.bone_residual, threading.Event(), threading.Event()

    def hangs_after_the_first_step(cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        on_step(1, STEPS)
        assert resume.wait(20)
        return real(cxr, seeds=seeds, on_step=on_step)

    def too_late(_step: int, _total: int) -> None:
        given_up.set()
        raise DeadlineExceededError("too late")

    hanging.suppressor.bone_residual = hangs_after_the_first_step  # type: ignore[method-assign]
    hanging.suppressor.gate.set()
    future = hanging.ask(0.1, on_step=too_late)
    assert given_up.wait(20)
    with pytest.raises(TimeoutError):
        future.result(0.1)
    resume.set()
    with pytest.raises(DeadlineExceededError):
        future.result(20)


def test_an_error_in_a_batch_falls_on_its_cause_alone(device: MakeDevice) -> None:
    def no_number(values: list[float]) -> None:
        if 0.2 in values:
            raise OutputError("not finite")

    busy = device(before=no_number)
    busy.hold()
    futures = [busy.ask(value) for value in (0.1, 0.2, 0.3)]
    busy.suppressor.gate.set()
    assert torch.equal(futures[0].result(20), image(0.1))
    assert torch.equal(futures[2].result(20), image(0.3))
    with pytest.raises(OutputError, match="not finite"):
        futures[1].result(20)
    assert busy.suppressor.batches[1:] == [[0.1, 0.2, 0.3], [0.1], [0.2], [0.3]]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_halves_the_batch_and_tries_once_more(device: MakeDevice, error: Exception) -> None:
    def room_for_two(values: list[float]) -> None:
        if len(values) > 2:
            raise error

    busy = device(before=room_for_two)
    busy.hold()
    futures = [busy.ask(value) for value in (0.1, 0.2, 0.3, 0.4)]
    busy.suppressor.gate.set()
    for value, future in zip((0.1, 0.2, 0.3, 0.4), futures, strict=True):
        assert torch.equal(future.result(20), image(value))
    assert busy.suppressor.batches[1:] == [[0.1, 0.2, 0.3, 0.4], [0.1, 0.2], [0.3, 0.4]]
    assert busy.facade.batch_limit == 2


@pytest.mark.parametrize(("count", "runs"), [(1, 2), (2, 3), (4, 3)])
def test_out_of_memory_again_fails_with_its_own_code(device: MakeDevice, count: int, runs: int) -> None:
    def no_room(values: list[float]) -> None:
        if values != [-1.0]:
            raise MemoryError

    busy = device(before=no_room)
    busy.hold()
    futures = [busy.ask(0.1 * (i + 1)) for i in range(count)]
    busy.suppressor.gate.set()
    for future in futures:
        with pytest.raises(DeviceMemoryError) as caught:
            future.result(20)
        assert caught.value.code == "OUT_OF_MEMORY"
    assert len(busy.suppressor.batches) == 1 + runs


def test_a_wrong_input_is_refused_before_it_can_spoil_a_batch(device: MakeDevice) -> None:
    open_device = device()
    with pytest.raises(OutputError, match="radiograph"):
        open_device.facade.bone_residual(torch.zeros(1, 1, 3, 3), seeds=[0], on_step=lambda _step, _total: None)
    assert open_device.suppressor.batches == []


def test_stopping_finishes_what_waits_and_takes_nothing_more(device: MakeDevice) -> None:
    busy = device(max_batch=1)
    futures = [busy.hold(), busy.ask(0.1), busy.ask(0.2)]
    busy.owner.shutdown(wait=False)
    with pytest.raises(WorkerStoppedError):
        busy.facade.bone_residual(image(0.3), seeds=[0], on_step=lambda _step, _total: None)
    busy.suppressor.gate.set()
    assert [future.result(20).shape for future in futures] == [(1, 1, SIDE, SIDE)] * 3
