"""From a folder of pairs to a result of one's own model, with the commands of docs/training.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from service.cli import app
from tests.models.training.folders import pair_folder
from tests.radiographs import phantom
from worker.image_files import write_display_png

pytestmark = pytest.mark.slow
runner = CliRunner()

TINY = [
    *("--set", "data.image_size=64", "--set", "data.side=32", "--set", "data.phantoms=1"),
    *("--set", "training.steps=6", "--set", "training.save_every=2"),
    *("--set", "training.device=cpu", "--set", "residual-unet.channels=[4,4]"),
    *("--set", "optimiser.warm_up=0"),
]
TRAIN = ["train", "residual-unet", "residual-unet", "--pairs", "pairs", *TINY]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "softray-data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    pair_folder(tmp_path / "pairs")


def run(*arguments: str) -> tuple[int, str]:
    answer = runner.invoke(app, list(arguments))
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def test_one_command_trains_and_one_more_shows_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(*TRAIN, "--until", "3")
    assert code == 0, output
    assert "stopped after step 3" in output
    code, output = run(*TRAIN, "--resume", "--install", "ours")
    assert code == 0, output
    assert "going on after step 3 of 6" in output
    assert "identity" in output
    assert "SOFTRAY_MODEL=ours softray" in output
    monkeypatch.setenv("SOFTRAY_MODEL", "ours")
    write_display_png(tmp_path / "in.png", phantom(1024).radiograph)
    code, output = run("suppress", "in.png", "out.png")
    assert code == 0, output
    assert "model=ours" in output
    with Image.open("in.png") as before, Image.open("out.png") as after:
        changed = np.asarray(before, np.float64) - np.asarray(after, np.float64)
    assert np.abs(changed).max() > 0
    code, output = run("train", "export", "runs/residual-unet", "--name", "ours")
    assert code == 1
    assert "WEIGHTS_EXIST" in output
    assert run("train", "export", "runs/residual-unet", "--name", "ours", "--replace", "--version", "2")[0] == 0
    code, output = run("train", "export", "runs/residual-unet", "--name", "ours", "--into", "elsewhere")
    assert code == 0, output
    assert "SOFTRAY_WEIGHTS_DIR=elsewhere SOFTRAY_MODEL=ours softray" in output
    code, output = run("weights", "verify", "ours")
    assert code == 0, output


def test_a_run_goes_on_from_its_own_configuration_and_refuses_another(tmp_path: Path) -> None:
    assert run(*TRAIN, "--until", "2")[0] == 0
    code, output = run(*TRAIN, "--set", "data.side=16")
    assert code == 1
    assert "RUN_DIFFERS" in output
    assert "data.side (there 32, here 16)" in output
    code, output = run("train", "residual-unet", "--run", "runs/residual-unet", "--until", "4")
    assert code == 0, output
    assert "going on after step 2" in output
    code, output = run("train", "vqgan", "--run", "runs/residual-unet")
    assert code == 1
    assert "kind 'residual-unet'" in output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["train", "vqgan", "vqgan-lite"], "--pairs DIR"),
        (["train", "vqgan"], "found neither"),
        (["train", "vqgan", "nothing.toml", "--pairs", "pairs"], "vqgan-lite"),
        (["train", "vqgan", "vqgan-lite", "--pairs", "none"], "EMPTY_FOLDER"),
        ([*TRAIN, "--resume"], "RUN_MISSING"),
        ([*TRAIN, "--install", "Our Model"], "name must match"),
        ([*TRAIN, "--run", "other", "--set", "training.device=cuda:7"], "auto, cpu, cuda"),
        (["train", "export", "pairs", "--name", "ours"], "RUN_MISSING"),
        (["train", "project", "none.npz", "out.npz"], "expected a CT volume"),
        (["train", "project", "pairs/cxr/patient0.png", "out.npz"], "expected a CT volume"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(arguments: list[str], word: str) -> None:
    code, output = run(*arguments)
    assert code == 1, output
    assert word in output
    assert "Traceback" not in output
