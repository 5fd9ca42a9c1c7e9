from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from models.evaluation import (
    Evaluation,
    EvaluationError,
    ModelRun,
    Subjects,
    evaluate,
    json_report,
    missed,
    over_projections,
    pairs_of_split,
    parse_requirements,
    pictures,
    tables,
    text_tables,
)
from models.evaluation.figures import HONEST, PUBLISHED
from models.evaluation.picture_sheet import GAP, HEADING, PANEL_SIDE
from models.pairs.errors import PairDataError
from models.pairs.record import PairRecord, PairsFile, write_pairs_file
from models.pairs.split import Split
from tests.models.evaluation.factories import FakeSuppressor, idle, write_pairs, write_png, write_projections

SIDE = 96


@pytest.fixture(autouse=True, scope="module")
def _figures_at_96_pixels() -> object:
    """The arithmetic is that of 1024; only the time is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "FIGURE_SIDE", SIDE)
        patch.setattr(text_tables, "FIGURE_SIDE", SIDE)
        patch.setattr(over_projections, "FIGURE_SIDE", 320)
        yield None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs, perfect predictions, projections, a radiograph without a truth."""
    folder = tmp_path_factory.mktemp("evaluation")
    for name, phantom in zip(("a", "b"), write_pairs(folder, ("a", "b"), SIDE), strict=True):
        write_png(folder / "perfect" / f"{name}.png", 0.8 * phantom.soft_tissue + 0.1)
        write_png(folder / "unpaired" / f"{name}.png", phantom.radiograph)
    write_projections(folder / "ct.npz", 9)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Evaluation:
    subjects = Subjects(
        cxr=folder / "cxr",
        truth=folder / "truth",
        predictions=(folder / "perfect",),
        projections=folder / "ct.npz",
        unpaired=folder / "unpaired",
    )
    return evaluate(subjects, [ModelRun(idle())], on_image=lambda *_: None, pictures=folder / "pictures")


def test_every_row_has_every_figure_image_by_image_and_in_the_mean(found: Evaluation) -> None:
    assert found.pairs is not None
    assert [image.name for image in found.pairs.images] == ["a", "b"]
    assert list(found.pairs.mean) == ["identity", "affine", "perfect (folder)", "idle (one-pass, 4)"]
    first, second = (image.methods["perfect (folder)"] for image in found.pairs.images)
    mean = found.pairs.mean["perfect (folder)"]
    assert mean.scores.psnr_db == pytest.approx((first.scores.psnr_db + second.scores.psnr_db) / 2)
    assert mean.published.lpips is None


def test_doing_nothing_and_the_truth_score_what_they_must(found: Evaluation) -> None:
    assert found.pairs is not None
    nothing, perfect = found.pairs.mean["identity"], found.pairs.mean["perfect (folder)"]
    assert nothing.scores.bone_left == pytest.approx(1.0)
    assert nothing.energies.bone_energy_left == pytest.approx(1.0)
    assert perfect.scores.bone_left == pytest.approx(0.0, abs=1e-3)
    assert perfect.scores.detail_kept == pytest.approx(1.0, abs=1e-2)
    assert perfect.scores.psnr_db > 80
    assert found.pairs.mean["idle (one-pass, 4)"].scores.bone_left == pytest.approx(1.0, abs=1e-6)


def test_the_text_has_a_table_for_each_part_and_says_what_was_not_supplied(found: Evaluation) -> None:
    written = StringIO()
    console = Console(file=written, width=160)
    for part in tables(found):
        console.print(part)
    text = written.getvalue()
    for title in ("pair a", "pair b", "mean of the pairs (2)", "8 CT projections", "2 radiographs without a truth"):
        assert title in text
    for words in (
        "LPIPS: weights not supplied",
        "idle (one-pass, 4)",
        "no pair had to be resized",
        "8-bit errors wrap",
    ):
        assert words in text


def test_the_json_says_the_same_and_null_for_what_is_not_there(found: Evaluation) -> None:
    report = json.loads(json_report(found))
    assert found.pairs is not None
    mean = report["pairs"]["mean"]["perfect (folder)"]
    assert list(mean) == [column.key for column in (*HONEST, *PUBLISHED)]
    assert mean["psnr"] == found.pairs.mean["perfect (folder)"].scores.psnr_db
    assert mean["lpips"] is None
    assert report["pairs"]["images"][0]["width"] == SIDE
    assert report["projections"]["nodules"]["idle (one-pass, 4)"]["count"] > 0
    assert report["radiographs"]["summary"]["idle (one-pass, 4)"]["outside_mean"] == pytest.approx(0, abs=1e-6)


def test_an_exact_match_has_no_error_and_is_null_in_json_but_meets_any_psnr(folder: Path) -> None:
    subjects = Subjects(folder / "cxr", folder / "truth", predictions=(folder / "truth",))
    found = evaluate(subjects, [], on_image=lambda *_: None)
    assert json.loads(json_report(found))["pairs"]["mean"]["truth (folder)"]["psnr"] is None
    assert missed(parse_requirements("psnr>=99,bone_left<=0"), found) == []


def test_picture_sheets_show_original_results_truth_and_bones_in_a_row_each(found: Evaluation) -> None:
    assert [page.name for page in found.pages] == ["pairs-1.png", "projections-1.png", "radiographs-1.png"]
    with Image.open(found.pages[0]) as sheet:
        # original, two results and the truth, and what each of the three took away
        assert sheet.size == (7 * (PANEL_SIDE + GAP), 2 * (PANEL_SIDE + HEADING + GAP))
        pixels = np.asarray(sheet)
    bone_of_idle = pixels[HEADING : HEADING + PANEL_SIDE, 5 * (PANEL_SIDE + GAP) : 5 * (PANEL_SIDE + GAP) + PANEL_SIDE]
    assert np.ptp(bone_of_idle) <= 1
    with Image.open(found.pages[1]) as sheet:
        assert sheet.height == 4 * (round(PANEL_SIDE * 220 / 320) + HEADING + GAP)


def test_pairs_are_chosen_by_name(folder: Path) -> None:
    subjects = Subjects(folder / "cxr", folder / "truth", pairs=("b",))
    found = evaluate(subjects, [], on_image=lambda *_: None)
    assert found.pairs is not None
    assert [image.name for image in found.pairs.images] == ["b"]
    with pytest.raises(EvaluationError, match="none named c"):
        evaluate(Subjects(folder / "cxr", folder / "truth", pairs=("c",)), [], on_image=lambda *_: None)


def test_a_split_is_taken_as_the_prepared_folder_records_it(folder: Path, tmp_path: Path) -> None:
    def record(split: Split) -> PairRecord:
        return PairRecord("p", split, *("0" * 64 for _ in range(4)), False, False, 0.0, 0.0, 0.0, 1.0, 0.9, 0.9)

    write_pairs_file(tmp_path, PairsFile(0, (7, 2, 1), {}, {}, {"a": record(Split.TRAIN), "b": record(Split.TEST)}))
    assert pairs_of_split(tmp_path / "cxr", Split.TEST) == ("b",)
    with pytest.raises(EvaluationError, match="expected pairs in the split 'validation'"):
        pairs_of_split(tmp_path / "cxr", Split.VALIDATION)
    with pytest.raises(PairDataError, match=r"expected pairs\.json"):
        pairs_of_split(folder / "cxr", Split.TEST)


def test_a_missing_truth_or_prediction_is_found_before_any_network_runs(folder: Path, tmp_path: Path) -> None:
    write_png(tmp_path / "lone/a.png", np.random.default_rng(1).random((SIDE, SIDE)))

    def never(cxr: torch.Tensor, _seed: int) -> torch.Tensor:
        raise AssertionError

    model = ModelRun(FakeSuppressor(never))
    for subjects in (
        Subjects(folder / "cxr", tmp_path / "lone"),
        Subjects(folder / "cxr", folder / "truth", predictions=(tmp_path / "lone",)),
        Subjects(folder / "cxr", folder / "truth", unpaired=tmp_path / "nowhere"),
    ):
        with pytest.raises(EvaluationError, match=r"none named b|no such folder"):
            evaluate(subjects, [model], on_image=lambda *_: None)


@pytest.mark.parametrize(
    ("subjects", "sentence"),
    [
        (Subjects(), "expected pairs"),
        (Subjects(cxr=Path("x")), "found only --cxr"),
        (Subjects(truth=Path("x")), "found only --truth"),
        (Subjects(predictions=(Path("x"),), unpaired=Path("y")), "beside --prediction"),
        (Subjects(unpaired=Path("x")), "expected a model"),
    ],
)
def test_nothing_to_measure_is_said_to_be_so(subjects: Subjects, sentence: str) -> None:
    with pytest.raises(EvaluationError, match=sentence) as raised:
        evaluate(subjects, [], on_image=lambda *_: None)
    assert raised.value.code == "NOTHING_TO_MEASURE"
