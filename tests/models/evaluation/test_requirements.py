from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluation.errors import EvaluationError
from models.evaluation.over_projections import NoduleSummary, ProjectionsTable
from models.evaluation.over_radiographs import RadiographsSummary, RadiographsTable
from models.evaluation.requirements import KEYS, Requirement, figures_of, missed, parse_requirements, require_measurable
from models.evaluation.run import Evaluation, Subjects
from models.metrics import Scores

FOUND = Evaluation(
    projections=ProjectionsTable(
        (),
        {"identity": Scores(36.0, 1.0, 0.99), "ours": Scores(44.0, 0.1, 0.98)},
        {"identity": NoduleSummary(8, 0.9, 0.8, 1.0, 0.5), "ours": NoduleSummary(8, 0.97, 0.8, 1.05, 0.75)},
    ),
    radiographs=RadiographsTable({}, 4, {"ours": RadiographsSummary(0.1, float("nan"), 0.6, 0.98, 0.95)}),
    judged=("theirs", "ours"),
)


def test_requirements_are_read_with_spaces_signs_and_decimals() -> None:
    assert parse_requirements("psnr>=33, bone_left <= .2,detail>=-1.5,") == (
        Requirement("psnr", True, 33.0),
        Requirement("bone_left", False, 0.2),
        Requirement("detail", True, -1.5),
    )
    assert parse_requirements("") == ()
    assert [str(one) for one in parse_requirements("psnr>=33,bone_left<=0.2")] == ["psnr>=33", "bone_left<=0.2"]


@pytest.mark.parametrize("text", ["psnr>33", "psnr", "pnsr>=33", "psnr>=high", "psnr>=1e9", ">=3", "psnr=>33"])
def test_anything_else_is_refused_with_the_figures_there_are(text: str) -> None:
    with pytest.raises(EvaluationError, match="FIGURE one of psnr, bone_left, detail"):
        parse_requirements(text)


def test_the_bound_itself_holds_and_what_is_not_a_number_does_not() -> None:
    assert missed(parse_requirements("ct_psnr>=44,ct_bone_left<=0.1,nodule_within>=0.75,outside<=0.1"), FOUND) == []
    assert missed(parse_requirements("outside_worst<=99"), FOUND) == ["ours: expected outside_worst<=99, found nan"]


def test_what_is_missed_is_told_for_each_row_but_never_for_a_baseline() -> None:
    assert missed(parse_requirements("nodule_min>=0.9,ct_bone_left<=0.05"), FOUND) == [
        "ours: expected nodule_min>=0.9, found 0.8",
        "ours: expected ct_bone_left<=0.05, found 0.1",
    ]


def test_every_key_of_projections_and_radiographs_has_its_figure() -> None:
    keys = [key for key in KEYS if key.startswith(("ct_", "nodule", "outside", "high_pass"))]
    assert sorted(figures_of(FOUND, "ours")) == sorted(keys)


def test_a_requirement_that_nothing_could_miss_is_refused_before_anything_runs() -> None:
    pairs = Subjects(cxr=Path("a"), truth=Path("b"))
    require_measurable(parse_requirements("psnr>=33"), pairs, with_models=True, with_lpips=False)
    require_measurable(parse_requirements("lpips<=0.1"), pairs, with_models=True, with_lpips=True)
    for text, subjects, with_models in (
        ("lpips<=0.1", pairs, True),
        ("psnr>=33", pairs, False),
        ("nodule_min>=0.9", pairs, True),
        ("outside<=0.2", Subjects(projections=Path("a")), True),
        ("ct_bone_left<=0.1", Subjects(projections=Path("a")), False),
    ):
        with pytest.raises(EvaluationError, match="expected a figure that is measured here"):
            require_measurable(parse_requirements(text), subjects, with_models=with_models, with_lpips=False)
