from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.bs_diff.config import Condition
from models.checkpoint import file_sha256
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.errors import TrainingError, TrainingFault
from models.training.objectives.bs_diff import make_objective
from models.training.objectives.bs_diff_denoiser import DenoiserObjective
from models.training.objectives.bs_diff_enhancer import EnhancerObjective
from models.training.objectives.bs_diff_settings import HybridWeights
from models.training.objectives.trained_denoiser import read_first_stage
from models.training.run_files import CHECKPOINT, CONFIG
from models.training.toml_text import to_toml
from tests.models.training.objectives.bs_diff_factories import (
    denoiser_settings,
    denoiser_table,
    enhancer_settings,
    enhancer_table,
    first_stage,
)
from tests.models.training.objectives.factories import phantom_task, train

CPU = torch.device("cpu")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The run folder of a first stage after two steps, trained with a noised radiograph."""
    torch.manual_seed(12)
    trainer = train(DenoiserObjective(denoiser_settings(condition="noised"), phantom_task()), tmp_path, 2)
    trainer.checkpoint.replace(tmp_path / CHECKPOINT)
    (tmp_path / CONFIG).write_text(to_toml({"bsdiff": denoiser_table(condition="noised")}))
    return tmp_path


def test_the_averaged_network_of_the_run_is_what_is_read(run: Path) -> None:
    first = read_first_stage(run, CPU)
    assert first.condition is Condition.NOISED
    assert first.digest == file_sha256(run / CHECKPOINT)
    state = torch.load(run / CHECKPOINT, weights_only=True)["learners"]["denoiser"]["averaged"]
    assert all(torch.equal(weight, state[name]) for name, weight in first.unet.state_dict().items())
    assert not any(weight.requires_grad for weight in first.unet.parameters())


def test_the_second_stage_is_trained_over_the_run_that_its_table_names(run: Path) -> None:
    objective = make_objective(JsonFields(enhancer_table(denoiser=str(run)), "bsdiff"), phantom_task())
    assert isinstance(objective, EnhancerObjective)
    assert objective.inputs() == {"denoiser": file_sha256(run / CHECKPOINT)}
    model = objective.model(objective.networks)
    assert model.architecture == "bs-diff"
    assert model.config["condition"] == "noised"


def test_the_stage_of_the_table_decides() -> None:
    assert isinstance(make_objective(JsonFields(denoiser_table(), "bsdiff"), phantom_task()), DenoiserObjective)
    with pytest.raises(ConfigError, match="one of denoiser, enhancer"):
        make_objective(JsonFields(denoiser_table(stage="both"), "bsdiff"), phantom_task())


def test_a_first_stage_that_was_never_trained_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"bsdiff\.denoiser=RUN") as caught:
        read_first_stage(tmp_path, CPU)
    assert caught.value.code == TrainingFault.RUN_MISSING


@pytest.mark.parametrize("table", [{"peer": {"architecture": "peer-gusarev"}}, {"bsdiff": enhancer_table()}])
def test_the_run_of_another_training_is_refused(run: Path, table: dict[str, object]) -> None:
    (run / CONFIG).write_text(to_toml(table))
    with pytest.raises(ConfigError, match="expected a training of BS-Diff's denoiser"):
        read_first_stage(run, CPU)


@pytest.mark.parametrize("condition", list(Condition))
def test_sampling_is_a_function_of_the_radiograph_and_the_generator(condition: Condition) -> None:
    first = first_stage(condition)
    cxr = torch.rand((2, 1, 16, 16), generator=torch.Generator().manual_seed(1)) * 2 - 1
    made = [first.sampled(cxr, torch.Generator().manual_seed(seed), 3) for seed in (1, 1, 2)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert made[0].shape == cxr.shape


def test_weights_left_out_are_the_published_ones() -> None:
    assert enhancer_settings().weights == HybridWeights(1.0, 1.0, 0.001, 0.01, 0.0)
    assert enhancer_settings(weights={"mae": 2.0}).weights == HybridWeights(2.0, 1.0, 0.001, 0.01, 0.0)


@pytest.mark.parametrize("table", [denoiser_table(lpips="x"), enhancer_table(weights={"l1": 1.0})])
def test_a_field_of_another_stage_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="unknown fields"):
        make_objective(JsonFields(table, "bsdiff"), phantom_task())
