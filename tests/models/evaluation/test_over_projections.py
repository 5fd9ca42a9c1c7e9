from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.evaluation.errors import EvaluationError
from models.evaluation.methods import ModelRun
from models.evaluation.over_projections import Projection, measure_projections, read_held_out
from models.evaluation.pictures import Display
from models.training.data import HELD_OUT_PROJECTIONS
from tests.models.evaluation.factories import chest_paths, idle, write_projections


class Oracle(ModelRun):
    """Knows the soft tissue of every picture, and gives `share` of what nodules add to it."""

    def __init__(self, projections: list[Projection], share: float) -> None:
        super().__init__(idle(f"oracle-{share}"))
        self._answers = [
            (case.cxr, plain.truth + (share if planted else 0) * (case.truth - plain.truth))
            for projection in projections
            for plain in [projection.case]
            for planted, case in enumerate((projection.case, projection.with_nodules))
        ]

    def suppressed(self, cxr: Display) -> Display:
        return next(answer for seen, answer in self._answers if np.array_equal(seen, cxr))


@pytest.fixture(scope="module")
def projections(tmp_path_factory: pytest.TempPathFactory) -> list[Projection]:
    found = read_held_out(write_projections(tmp_path_factory.mktemp("ct") / "projections.npz"))
    assert len(found) == HELD_OUT_PROJECTIONS
    return found[:2]


def test_pictures_are_1024_wide_without_bands_and_differ_by_their_nodules_only(projections: list[Projection]) -> None:
    for projection in projections:
        assert projection.case.cxr.shape == projection.case.truth.shape == (704, 1024)
        change = projection.with_nodules.truth - projection.case.truth
        touched = np.zeros(change.shape, np.bool_)
        for nodule in projection.nodules:
            circle = projection.circle(nodule, 1.5)
            rows, columns = np.ogrid[:704, :1024]
            touched |= np.hypot(rows - circle.row, columns - circle.column) <= circle.radius
            assert change[round(circle.row), round(circle.column)] > 0.01
        assert np.abs(change[~touched]).max() < 1e-3


def test_doing_nothing_leaves_all_bone_and_knowing_the_truth_keeps_every_nodule(projections: list[Projection]) -> None:
    oracle, blind = Oracle(projections, 1.0), Oracle(projections, 0.5)
    done: list[str] = []
    found = measure_projections(projections, [oracle, blind], lambda what, _count, _total: done.append(what))
    assert done == ["projection ct-0", "projection ct-1"]
    assert found.mean["identity"].bone_left == pytest.approx(1.0)
    assert found.mean[oracle.title].bone_left == pytest.approx(0.0, abs=1e-6)
    assert all(0.01 < nodule.contrast < 0.5 for image in found.images for nodule in image.nodules)
    kept = found.nodules[oracle.title]
    assert kept.count == 8
    assert (kept.mean, kept.least, kept.most, kept.within) == tuple(pytest.approx(1.0, abs=1e-4) for _ in range(4))
    half = found.nodules[blind.title]
    assert (half.mean, half.within) == (pytest.approx(0.5, abs=1e-4), 0.0)
    # Doing nothing shows a nodule too, but where bone lies over it on another part of the tone curve.
    assert 0.4 < found.nodules["identity"].mean < 1.6


def test_the_same_paths_give_the_same_pictures(projections: list[Projection], tmp_path: Path) -> None:
    again = read_held_out(write_projections(tmp_path / "projections.npz"))[1]
    np.testing.assert_array_equal(again.with_nodules.cxr, projections[1].with_nodules.cxr)
    assert again.nodules == projections[1].nodules


def test_what_is_no_projection_file_is_said_to_be_none(tmp_path: Path) -> None:
    soft, bone = chest_paths(2, 40, 50)
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "half.npz", soft=soft.numpy())
    np.savez(tmp_path / "shapes.npz", soft=soft.numpy(), bone=bone[:, :30].numpy())
    np.savez(tmp_path / "nan.npz", soft=soft.numpy(), bone=torch.full_like(bone, torch.nan).numpy())
    expected = {
        "text": "expected projections of a CT",
        "half": "expected projections of a CT",
        "none": "expected projections of a CT",
        "shapes": "of one shape",
        "nan": "finite paths",
    }
    for name, sentence in expected.items():
        with pytest.raises(EvaluationError, match=sentence):
            read_held_out(tmp_path / f"{name}.npz")
