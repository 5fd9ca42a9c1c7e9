"""The model on its own thread, after a golden check that it must pass."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from models import golden
from models.checkpoint import load_tensors, save_tensors
from models.errors import WeightsError
from models.manifest import Manifest, write_manifest
from tests.models.bs_ldm.factories import install_model, radiograph
from worker.errors import SelfCheckFailedError
from worker.model_host import ModelHost


def host(folder: Path, model: str = "small") -> ModelHost:
    return ModelHost(model=model, weights_dirs=[folder], preset="fast", steps=2, device="cpu", torch_threads=0)


def with_another_golden_result(manifest: Manifest) -> None:
    assert manifest.golden is not None
    path = manifest.folder / manifest.golden.file
    recorded = load_tensors(path, manifest.golden.sha256)
    recorded["residual"] = recorded["residual"] + 1.0
    digest = save_tensors(recorded, path)
    object.__setattr__(manifest.golden, "sha256", digest)
    write_manifest(manifest)


def test_all_work_runs_on_one_thread_that_is_not_the_callers(tmp_path: Path) -> None:
    golden.record_golden(install_model(tmp_path), radiograph())
    model = host(tmp_path)
    assert model.start().name == "small"
    threads = {model.run(lambda _: threading.get_ident()) for _ in range(3)}
    assert len(threads) == 1
    assert threads.isdisjoint({threading.get_ident()})


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
