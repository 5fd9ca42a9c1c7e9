"""The model on its own thread, after a golden check that it must pass."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models import golden
from models.bs_ldm.predict import BsLdmSuppressor
from models.checkpoint import load_tensors, save_tensors
from models.errors import WeightsError
from models.manifest import Manifest, write_manifest
from models.samplers import OnStep
from models.suppressor import SamplingSuppressor, Suppressor
from tests.models.bs_ldm.factories import install_model, no_step, radiograph
from tests.worker.conftest import ConstantSuppressor
from worker.batching import BatchPolicy, batching
from worker.errors import SelfCheckFailedError
from worker.model_host import ModelHost


def host(folder: Path, model: str = "small", *, max_batch: int = 0, batch_window_s: float = 0.0) -> ModelHost:
    return ModelHost(
        model=model,
        weights_dirs=[folder],
        preset="fast",
        steps=2,
        device="cpu",
        torch_threads=0,
        max_batch=max_batch,
        batch_window_s=batch_window_s,
    )


def with_another_golden_result(manifest: Manifest) -> None:
    assert manifest.golden is not None
    path = manifest.folder / manifest.golden.file
    recorded = load_tensors(path, manifest.golden.sha256)
    recorded["residual"] = recorded["residual"] + 1.0
    digest = save_tensors(recorded, path)
    object.__setattr__(manifest.golden, "sha256", digest)
    write_manifest(manifest)


def test_the_network_runs_on_one_thread_and_the_rest_of_the_work_on_its_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden.record_golden(install_model(tmp_path), radiograph())
    on_device: set[int] = set()
    real = BsLdmSuppressor.bone_residual

    def noted(model: BsLdmSuppressor, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        on_device.add(threading.get_ident())
        return real(model, cxr, seeds=seeds, on_step=on_step)

    monkeypatch.setattr(BsLdmSuppressor, "bone_residual", noted)
    model = host(tmp_path)
    assert model.start().name == "small"

    def work(suppressor: Suppressor) -> int:
        suppressor.bone_residual(radiograph(), seeds=[0], on_step=no_step)
        return threading.get_ident()

    with ThreadPoolExecutor(3) as callers:
        on_callers = {caller.result() for caller in [callers.submit(model.run, work) for _ in range(3)]}
    assert len(on_device) == 1
    assert on_device.isdisjoint(on_callers | {threading.get_ident()})


def test_batched_images_come_out_as_they_do_alone(tmp_path: Path) -> None:
    install_model(tmp_path)
    alone, together = host(tmp_path), host(tmp_path, max_batch=4, batch_window_s=1.0)
    alone.start()
    together.start()
    images = [radiograph(seed=seed) for seed in range(4)]

    def residuals(model: ModelHost) -> list[Tensor]:
        def one(i: int) -> Tensor:
            return model.run(lambda s: s.bone_residual(images[i], seeds=[i], on_step=no_step))

        with ThreadPoolExecutor(4) as callers:
            return list(callers.map(one, range(4)))

    for expected, found in zip(residuals(alone), residuals(together), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_cpu_runs_one_image_at_a_time_unless_told_otherwise(tmp_path: Path) -> None:
    install_model(tmp_path)
    default, told = host(tmp_path), host(tmp_path, max_batch=3)
    default.start()
    told.start()
    assert (default.batch_limit, told.batch_limit) == (1, 3)


def test_a_model_that_can_be_watched_can_be_watched_through_the_host(tmp_path: Path) -> None:
    install_model(tmp_path)
    model = host(tmp_path)
    model.start()
    estimates: list[int] = []

    def work(suppressor: Suppressor) -> Tensor:
        assert isinstance(suppressor, SamplingSuppressor)
        return suppressor.traced_residual(
            radiograph(), seeds=[0], on_step=no_step, on_estimate=lambda t, _x0: estimates.append(t), frames=2
        )

    watched = model.run(work)
    assert len(estimates) == 2
    assert torch.equal(watched, model.run(lambda s: s.bone_residual(radiograph(), seeds=[0], on_step=no_step)))


def test_a_model_of_one_pass_cannot_be_watched() -> None:
    owner = ThreadPoolExecutor(1)
    facade = batching(ConstantSuppressor(), owner, BatchPolicy(1, 0.0))
    assert not isinstance(facade, SamplingSuppressor)


def test_a_worker_whose_golden_phantom_comes_out_differently_refuses_work(tmp_path: Path) -> None:
    with_another_golden_result(golden.record_golden(install_model(tmp_path), radiograph()))
    model = host(tmp_path)
    with pytest.raises(SelfCheckFailedError, match="refuses work"):
        model.start()
    with pytest.raises(SelfCheckFailedError, match="not started"):
        model.run(lambda suppressor: suppressor.identity)


def test_missing_weights_are_named_with_what_is_installed(tmp_path: Path) -> None:
    install_model(tmp_path)
    with pytest.raises(WeightsError, match="no-such-model"):
        host(tmp_path, "no-such-model").start()


def test_altered_weights_never_load(tmp_path: Path) -> None:
    manifest = install_model(tmp_path)
    path = manifest.folder / next(iter(manifest.files))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(WeightsError, match="SHA-256"):
        host(tmp_path).start()


def test_an_error_in_the_work_reaches_the_caller_and_the_thread_lives_on(tmp_path: Path) -> None:
    install_model(tmp_path)
    model = host(tmp_path)
    model.start()

    def fail(_: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        model.run(fail)
    size = model.run(lambda suppressor: suppressor.image_size)
    residual = model.run(
        lambda s: s.bone_residual(torch.zeros(1, 1, size, size), seeds=[0], on_step=lambda _step, _total: None)
    )
    assert residual.shape == (1, 1, size, size)
