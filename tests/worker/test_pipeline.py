"""Data set in, data set out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from pydicom import Dataset
from torch import Tensor

from dicom_node.derived import DerivedPolicy
from dicom_node.eligibility import EligibilityPolicy, Eligible, ReasonCode
from dicom_node.errors import ImageRefused
from dicom_node.image_gate import ImageGate
from dicom_node.pixels import read_source
from dicom_node.radiograph import wrap_radiograph
from models.lines import kept as lines
from models.phantom import render
from models.suppressor import ModelIdentity
from tests.worker.conftest import IDENTITY, ConstantSuppressor
from worker.errors import ResultRejectedError
from worker.pipeline import SoftTissue, Watcher, provenance_of, suppress


def run(
    dataset: Dataset, suppressor: ConstantSuppressor, spread_seeds: int = 1, watcher: Watcher | None = None
) -> SoftTissue:
    return suppress(
        dataset,
        suppressor,
        DerivedPolicy(),
        service_version="0.0.test",
        seed=3,
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        on_step=lambda _step, _total: None,
        spread_seeds=spread_seeds,
        watcher=watcher,
    )


@pytest.fixture
def radiograph() -> Dataset:
    rows, columns = np.mgrid[0:1100, 0:1000]
    # Grainless as it is, it must not be dark, or it would be taken for collimation.
    display = (0.4 + 0.4 * np.sin(rows / 90.0) ** 2 * np.sin(columns / 70.0) ** 2).astype(np.float32)
    display[:, :60] = display[:, -60:] = 0.0
    return wrap_radiograph(display)


def test_a_network_that_sees_no_bone_returns_the_source_bit_for_bit(radiograph: Dataset) -> None:
    result = run(radiograph, ConstantSuppressor(residual=0.0))
    assert (read_source(result.derived).stored == read_source(radiograph).stored).all()


def test_the_residual_is_taken_away_in_display_units(radiograph: Dataset) -> None:
    result = run(radiograph, ConstantSuppressor(residual=0.1))
    before, after = read_source(radiograph).display, read_source(result.derived).display
    inside = before > 0.2
    inside[:, :80] = inside[:, -80:] = False  # within two reduced pixels of the skin the change may be a little less
    assert inside.mean() > 0.7
    assert np.allclose((before - after)[inside], 0.05, atol=2e-4)


@pytest.mark.parametrize("residual", [float("nan"), float("inf"), 2.5])
def test_an_output_that_is_no_image_is_refused(radiograph: Dataset, residual: float) -> None:
    with pytest.raises(ResultRejectedError):
        run(radiograph, ConstantSuppressor(residual=residual))


def test_the_derived_object_says_how_it_was_made(radiograph: Dataset) -> None:
    description = run(radiograph, ConstantSuppressor()).derived.DerivationDescription
    for fact in ("constant", "ab" * 32, "one-pass", "seed=3"):
        assert fact in description


def test_two_runs_give_the_same_object(radiograph: Dataset) -> None:
    first, second = (run(radiograph, ConstantSuppressor(residual=0.1)).derived for _ in range(2))
    assert first == second


@dataclass
class ScatteringSuppressor(ConstantSuppressor):
    """A sampling model whose residual is a hundredth of the seed; its estimates come there from double that."""

    identity: ModelIdentity = field(default_factory=lambda: replace(IDENTITY, sampler="ddpm", steps=3))

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: Callable[[int, int], None]) -> Tensor:
        on_step(1, 1)
        return torch.full_like(cxr, 0.01) * torch.tensor(seeds).view(-1, 1, 1, 1)

    def traced_residual(
        self,
        cxr: Tensor,
        *,
        seeds: Sequence[int],
        on_step: Callable[[int, int], None],
        on_estimate: Callable[[int, Tensor], None],
        frames: int,
    ) -> Tensor:
        residual = self.bone_residual(cxr, seeds=seeds, on_step=on_step)
        for t in range(frames - 1, -1, -1):
            on_estimate(t, residual * (1 + t / frames))
        return residual


def test_several_seeds_give_their_mean_and_their_spread_on_the_sources_grid(radiograph: Dataset) -> None:
    result = run(radiograph, ScatteringSuppressor(), spread_seeds=3)  # seeds 3, 4, 5
    assert result.spread is not None
    assert result.spread.shape == result.residual.shape == (1100, 1000)
    assert result.residual[500, 500] == pytest.approx(0.04 / 2, abs=1e-6)
    assert result.spread[500, 500] == pytest.approx(0.01 / 2, abs=1e-6)
    assert result.spread.min() >= 0


def test_the_number_of_seeds_is_told_and_makes_another_object(radiograph: Dataset) -> None:
    one, three = (run(radiograph, ScatteringSuppressor(), spread_seeds=n).derived for n in (1, 3))
    assert "seed=3" in three.DerivationDescription
    assert "seeds=3" in three.DerivationDescription
    assert "seeds=" not in one.DerivationDescription
    assert one.SOPInstanceUID != three.SOPInstanceUID
    assert one.SeriesInstanceUID != three.SeriesInstanceUID


def test_how_lines_are_kept_is_told_and_another_way_makes_another_object(
    radiograph: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run(radiograph, ConstantSuppressor(residual=0.1)).derived
    assert f"lines={lines.NAMED}" in one.DerivationDescription
    monkeypatch.setattr(lines, "NAMED", "other")
    other = run(radiograph, ConstantSuppressor(residual=0.1)).derived
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID


def test_a_model_whose_lines_are_not_kept_names_no_way_of_keeping_them() -> None:
    assert "lines=" in provenance_of(IDENTITY, 0, "0.0.test").parameters
    assert provenance_of(replace(IDENTITY, architecture="bs-ldm"), 0, "0.0.test").parameters == ""


def test_a_one_pass_model_has_no_spread_however_many_seeds_are_asked(radiograph: Dataset) -> None:
    asked, plain = (run(radiograph, ConstantSuppressor(residual=0.1), spread_seeds=n) for n in (4, 1))
    assert asked.spread is None
    assert asked.derived == plain.derived


def test_a_watcher_sees_the_estimates_and_the_result_is_the_same(radiograph: Dataset) -> None:
    seen: list[tuple[int, float, tuple[int, ...]]] = []
    watcher = Watcher(lambda t, soft: seen.append((t, float(soft.mean()), soft.shape)), 2)
    watched = run(radiograph, ScatteringSuppressor(), spread_seeds=4, watcher=watcher)
    assert [t for t, _, _ in seen] == [1, 0]
    assert {shape for _, _, shape in seen} == {(64, 64)}
    assert seen[1][1] - seen[0][1] == pytest.approx(0.03 / 2 / 2, abs=1e-5)
    assert watched.derived == run(radiograph, ScatteringSuppressor()).derived


def test_a_watcher_of_a_one_pass_model_sees_nothing(radiograph: Dataset) -> None:
    seen: list[int] = []
    result = run(radiograph, ConstantSuppressor(residual=0.1), watcher=Watcher(lambda t, _soft: seen.append(t), 5))
    assert seen == []
    assert result.derived == run(radiograph, ConstantSuppressor(residual=0.1)).derived


# --- the picture's own gate -----------------------------------------------------------------------------------------

OPEN = ImageGate(Eligible((), frozenset({ReasonCode.VIEW_UNKNOWN})), EligibilityPolicy())


def run_gated(dataset: Dataset, suppressor: ConstantSuppressor) -> SoftTissue:
    return suppress(
        dataset,
        suppressor,
        DerivedPolicy(),
        service_version="0.0.test",
        seed=3,
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        on_step=lambda _step, _total: None,
        gate=OPEN,
    )


def test_a_picture_that_the_gate_refuses_is_never_shown_to_the_network() -> None:
    def unreachable() -> None:
        raise AssertionError("the network was asked")

    turned = wrap_radiograph(np.ascontiguousarray(np.rot90(render(1024, seed=2).radiograph)))
    with pytest.raises(ImageRefused) as caught:
        run_gated(turned, ConstantSuppressor(before=unreachable))
    assert caught.value.code == "IMAGE_NOT_UPRIGHT"


def test_what_the_picture_confirms_is_noted() -> None:
    result = run_gated(wrap_radiograph(render(1024, seed=2).radiograph), ConstantSuppressor())
    assert "IMAGE_CONFIRMED" in result.notes
