from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.errors import ConfigError
from models.training.config import RunConfig, parse_config
from models.training.errors import TrainingError, TrainingFault
from models.training.run_files import CHECKPOINT, CONFIG, FACTS
from models.training.run_folder import RunFolder, code_version
from models.training.toml_text import with_overrides

from .folders import residual_unet_table

DIGESTS = {"pairs": "a" * 64}


def config(*overrides: str, kind: str = "residual-unet") -> RunConfig:
    return parse_config(kind, with_overrides(residual_unet_table(Path("/pairs")), overrides))


def begun(folder: Path) -> RunFolder:
    run = RunFolder(folder)
    run.enter(config(), DIGESTS)
    (folder / CHECKPOINT).write_bytes(b"")
    return run


def test_a_folder_tells_its_own_configuration_code_seed_and_data(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    assert run.stored_config() == config()
    facts = json.loads((tmp_path / "run" / FACTS).read_text())
    assert facts["kind"] == "residual-unet"
    assert facts["seed"] == 1
    assert facts["digests"] == DIGESTS
    assert facts["code"] == code_version()
    assert set(facts["versions"]) == {"python", "torch", "numpy"}


def test_the_same_training_goes_on_also_on_another_device(tmp_path: Path) -> None:
    run = begun(tmp_path)
    before = (tmp_path / CONFIG).read_text()
    run.enter(config("training.device=auto", "training.save_every=9"), DIGESTS)
    assert (tmp_path / CONFIG).read_text() == before


def test_another_configuration_is_refused_and_every_differing_key_named(tmp_path: Path) -> None:
    run = begun(tmp_path)
    with pytest.raises(TrainingError) as caught:
        run.enter(config("data.side=16", "optimiser.clip=2.0", "training.steps=5"), DIGESTS)
    assert caught.value.code == TrainingFault.RUN_DIFFERS
    message = str(caught.value)
    assert "data.side (there 32, here 16)" in message
    assert "optimiser.clip (there unset, here 2.0)" in message
    assert "training.steps (there 4, here 5)" in message
    assert "seed" not in message


def test_other_data_and_another_autoencoder_are_refused(tmp_path: Path) -> None:
    run = begun(tmp_path)
    with pytest.raises(TrainingError, match=r"pairs \(another digest\)"):
        run.enter(config(), {"pairs": "b" * 64})
    with pytest.raises(TrainingError, match=r"autoencoder \(another digest\)"):
        run.enter(config(), {**DIGESTS, "autoencoder": "c" * 64})


def test_another_kind_is_refused(tmp_path: Path) -> None:
    table = residual_unet_table(Path("/pairs"))
    del table["residual-unet"]
    with pytest.raises(TrainingError, match="there residual-unet, here vqgan"):
        begun(tmp_path).enter(parse_config("vqgan", table), DIGESTS)


def test_a_folder_without_a_checkpoint_is_written_anew(tmp_path: Path) -> None:
    RunFolder(tmp_path).enter(config(), DIGESTS)
    RunFolder(tmp_path).enter(config("training.steps=9"), DIGESTS)
    assert RunFolder(tmp_path).stored_config().engine.steps == 9


def test_what_is_no_run_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="expected the folder of a training") as caught:
        RunFolder(tmp_path).stored_config()
    assert caught.value.code == TrainingFault.RUN_MISSING
    begun(tmp_path)
    (tmp_path / FACTS).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=FACTS):
        RunFolder(tmp_path).facts()


def test_in_a_checkout_the_code_is_a_commit() -> None:
    assert code_version().startswith(("git ", "softray "))
