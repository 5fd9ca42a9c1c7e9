"""Whole trainings, tiny, from a folder of phantom pairs to an installed model that suppresses a phantom."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError, WeightsError
from models.library import find, load
from models.preprocess import to_model
from models.training.config import parse_config
from models.training.curves import read_events
from models.training.engine.checkpoints import averaged_state
from models.training.errors import TrainingError, TrainingFault
from models.training.finish import install, validate
from models.training.run_files import CHECKPOINT, CONFIG, CURVES, EVENTS, VALIDATION
from models.training.run_folder import RunFolder
from models.training.session import open_session, run_session
from models.training.toml_text import Table

from .folders import SIDE, ldm_table, pair_folder, phantom, residual_unet_table, vqgan_table


def ignore(_step: int, _terms: Mapping[str, float]) -> None:
    """Nobody looks."""


def interrupting(step: int, _terms: Mapping[str, float]) -> None:
    if step == 3:  # the last checkpoint is of step 2
        raise KeyboardInterrupt


def trained(kind: str, table: Table, run: Path, until: int = 0) -> None:
    run_session(open_session(parse_config(kind, table), run), ignore, until)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pair_folder(tmp_path_factory.mktemp("data") / "pairs")


@pytest.fixture(scope="module")
def vqgan_run(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "vqgan"
    trained("vqgan", vqgan_table(pairs), run)
    return run


def tables(pairs: Path, vqgan_run: Path) -> dict[str, Callable[[], Table]]:
    return {
        "residual-unet": lambda: residual_unet_table(pairs),
        "vqgan": lambda: vqgan_table(pairs),
        "ldm": lambda: ldm_table(pairs, vqgan_run),
    }


@pytest.mark.parametrize("kind", ["residual-unet", "vqgan", "ldm"])
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(
    kind: str, pairs: Path, vqgan_run: Path, tmp_path: Path
) -> None:
    table = tables(pairs, vqgan_run)[kind]()
    trained(kind, table, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_session(open_session(parse_config(kind, table), tmp_path / "parts"), interrupting)
    begun = open_session(parse_config(kind, table), tmp_path / "parts")
    assert begun.trainer.step == 2
    run_session(begun, ignore)
    session = open_session(parse_config(kind, table), tmp_path / "whole")
    assert session.trainer.step == 4
    for name in session.trainer.learners:
        whole, parts = (averaged_state(tmp_path / run / CHECKPOINT, name) for run in ("whole", "parts"))
        assert all(torch.equal(whole[tensor], parts[tensor]) for tensor in whole)
    events = [read_events(tmp_path / run / EVENTS) for run in ("whole", "parts")]
    assert events[0] == events[1]
    assert all([step for step, _ in curve] for curve in events[0].values())
    assert (tmp_path / "parts" / CURVES).is_file()


def test_a_run_is_the_same_training_again_from_its_own_configuration(pairs: Path, tmp_path: Path) -> None:
    trained("residual-unet", residual_unet_table(pairs), tmp_path / "one")
    stored = RunFolder(tmp_path / "one").stored_config()
    run_session(open_session(stored, tmp_path / "two"), ignore)
    one, two = (averaged_state(tmp_path / run / CHECKPOINT, "network") for run in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (tmp_path / "one" / CONFIG).read_text() == (tmp_path / "two" / CONFIG).read_text()


@pytest.mark.parametrize("kind", ["residual-unet", "ldm"])
def test_an_exported_model_is_loaded_by_its_name_and_carries_its_golden_phantom(
    kind: str, pairs: Path, vqgan_run: Path, tmp_path: Path
) -> None:
    trained(kind, tables(pairs, vqgan_run)[kind](), tmp_path / "run")
    session = open_session(RunFolder(tmp_path / "run").stored_config(), tmp_path / "run")
    installed = install(session, tmp_path / "weights", "ours", version="3", licence="ours", replace=False)
    assert installed.golden is not None
    found = find("ours", [tmp_path / "weights"])
    assert (found.version, found.licence) == ("3", "ours")
    assert "4 of 4 steps" in found.training
    model = load("ours", [tmp_path / "weights"], device="cpu")
    cxr, _ = to_model(phantom(40).radiograph, model.image_size)
    residual = model.bone_residual(cxr, seeds=[0], on_step=lambda _step, _total: None)
    assert residual.shape == (1, 1, SIDE, SIDE)
    assert residual.abs().max() > 0
    with pytest.raises(WeightsError, match="'ours'"):
        install(session, tmp_path / "weights", "ours", version="3", licence="ours", replace=False)
    with pytest.raises(ConfigError, match="name"):
        install(session, tmp_path / "weights", "Our Model", version="3", licence="ours", replace=False)


def test_what_is_exported_is_the_average(pairs: Path, tmp_path: Path) -> None:
    trained("residual-unet", residual_unet_table(pairs), tmp_path / "run")
    session = open_session(RunFolder(tmp_path / "run").stored_config(), tmp_path / "run")
    finished = session.objective.model(session.trainer.averaged)
    assert finished is not None
    (state,) = finished.files.values()
    averaged = averaged_state(tmp_path / "run" / CHECKPOINT, "network")
    assert all(torch.equal(state[name], averaged[name]) for name in averaged)
    raw = session.trainer.learners["network"].network.state_dict()
    assert not all(torch.equal(raw[name], averaged[name]) for name in averaged)


def test_a_training_ends_with_figures_on_the_validation_split(pairs: Path, vqgan_run: Path, tmp_path: Path) -> None:
    trained("residual-unet", residual_unet_table(pairs), tmp_path / "run")
    judged = validate(open_session(RunFolder(tmp_path / "run").stored_config(), tmp_path / "run"))
    assert judged.pairs == 1
    assert judged.model is not None
    assert judged.identity is not None
    assert judged.identity.bone_left == pytest.approx(1)
    assert judged.model.bone_left != pytest.approx(1, abs=1e-9)
    kept = json.loads((tmp_path / "run" / VALIDATION).read_text())
    assert kept["model"]["psnr_db"] == judged.model.psnr_db
    autoencoder = validate(open_session(RunFolder(vqgan_run).stored_config(), vqgan_run))
    assert autoencoder.model is None
    assert 1 <= autoencoder.figures["codes_used"] <= 8
    assert autoencoder.figures["reconstruction_psnr_db"] > 3


def test_a_part_of_a_model_and_an_untrained_one_cannot_be_exported(
    pairs: Path, vqgan_run: Path, tmp_path: Path
) -> None:
    part = open_session(RunFolder(vqgan_run).stored_config(), vqgan_run)
    with pytest.raises(TrainingError) as caught:
        install(part, tmp_path, "x", version="1", licence="ours", replace=False)
    assert caught.value.code == TrainingFault.NOT_A_MODEL
    untrained = open_session(parse_config("residual-unet", residual_unet_table(pairs)), tmp_path / "run")
    with pytest.raises(TrainingError) as caught:
        install(untrained, tmp_path, "x", version="1", licence="ours", replace=False)
    assert caught.value.code == TrainingFault.RUN_MISSING


def test_a_latent_network_goes_on_over_its_own_autoencoder_only(pairs: Path, vqgan_run: Path, tmp_path: Path) -> None:
    trained("ldm", ldm_table(pairs, vqgan_run), tmp_path / "ldm", until=2)
    other = vqgan_table(pairs)
    other["seed"] = 9
    trained("vqgan", other, tmp_path / "other")
    kept = (vqgan_run / CHECKPOINT).read_bytes()
    (vqgan_run / CHECKPOINT).write_bytes((tmp_path / "other" / CHECKPOINT).read_bytes())
    try:
        with pytest.raises(TrainingError, match=r"autoencoder \(another digest\)"):
            open_session(parse_config("ldm", ldm_table(pairs, vqgan_run)), tmp_path / "ldm")
    finally:
        (vqgan_run / CHECKPOINT).write_bytes(kept)


def test_a_latent_network_without_its_autoencoder_is_refused(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"--set ldm\.autoencoder=RUN"):
        open_session(parse_config("ldm", ldm_table(pairs, tmp_path / "none")), tmp_path / "run")
    trained("residual-unet", residual_unet_table(pairs), tmp_path / "other", until=2)
    with pytest.raises(ConfigError, match="another kind"):
        open_session(parse_config("ldm", ldm_table(pairs, tmp_path / "other")), tmp_path / "run")
