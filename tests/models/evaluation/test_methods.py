from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.evaluation.errors import EvaluationError
from models.evaluation.methods import (
    Affine,
    Identity,
    ModelChoice,
    ModelRun,
    Predictions,
    model_runs,
    parse_model_choice,
    prediction_folders,
)
from models.evaluation.pictures import Case, PngReader
from models.metrics import fit
from tests.models.evaluation.factories import FakeSuppressor, idle, write_png

CXR = np.random.default_rng(4).random((96, 96), np.float32)
CASE = Case("a", CXR, (0.5 * CXR**2).astype(np.float32))


def test_the_baselines_are_the_radiograph_and_its_best_tone() -> None:
    assert Identity().soft_tissue(CASE) is CASE.cxr
    np.testing.assert_allclose(Affine().soft_tissue(CASE), fit(CASE.cxr, CASE.truth), atol=1e-6)


def test_a_model_that_takes_nothing_away_gives_the_radiograph_back_at_any_size() -> None:
    for shape in ((96, 96), (50, 200), (300, 170)):
        cxr = np.random.default_rng(1).random(shape, np.float32)
        np.testing.assert_array_equal(ModelRun(idle()).suppressed(cxr), cxr)


def test_several_seeds_are_averaged_from_zero_on() -> None:
    model = FakeSuppressor(lambda cxr, seed: torch.full_like(cxr, 0.1 * seed))
    run = ModelRun(model, seeds=4)
    np.testing.assert_allclose(run.suppressed(CXR), CXR - 0.5 * 0.15, atol=1e-6)  # half: [-1, 1] is two display units
    assert model.seen == [0, 1, 2, 3]
    assert run.title == "fake (ddpm, 4, mean of 4 seeds)"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("residual-unet", ModelChoice("residual-unet")),
        ("bs-ldm:reference", ModelChoice("bs-ldm", "reference")),
        ("bs-ldm-lite:fast:4", ModelChoice("bs-ldm-lite", "fast", 4)),
        ("bs-ldm-lite::4", ModelChoice("bs-ldm-lite", "fast", 4)),
    ],
)
def test_a_model_is_chosen_by_name_preset_and_steps(text: str, choice: ModelChoice) -> None:
    assert parse_model_choice(text) == choice


@pytest.mark.parametrize("text", ["", ":fast", "a:slow", "a:fast:x", "a:fast:4:5", "a:fast:-1"])
def test_anything_else_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(EvaluationError, match="NAME:preset:steps"):
        parse_model_choice(text)


def test_an_unknown_model_is_told_with_those_installed(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected an installed model 'nonesuch', found .*residual-unet"):
        model_runs([ModelChoice("nonesuch")], [tmp_path])


def test_a_one_pass_model_runs_once_whatever_the_seeds_and_however_often_it_is_named() -> None:
    runs = model_runs([ModelChoice("residual-unet"), ModelChoice("residual-unet")], device="cpu", seeds=4)
    assert [run.title for run in runs] == ["residual-unet (one-pass, 1)"]


def test_a_prediction_is_taken_as_it_lies_and_another_size_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", CXR)
    predictions = Predictions(tmp_path, PngReader(), "theirs")
    np.testing.assert_allclose(predictions.soft_tissue(CASE), CXR, atol=1e-5)
    write_png(tmp_path / "a.png", CXR[:90])
    with pytest.raises(EvaluationError, match="to be 96 × 96 pixels as its radiograph is, found 96 × 90"):
        predictions.soft_tissue(CASE)


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    folders = [tmp_path / "x/out", tmp_path / "y/out", tmp_path / "z/other"]
    for folder in folders:
        write_png(folder / "a.png", CXR)
    titles = [row.title for row in prediction_folders(folders, PngReader())]
    assert titles == [f"{folders[0]} (folder)", f"{folders[1]} (folder)", "other (folder)"]
