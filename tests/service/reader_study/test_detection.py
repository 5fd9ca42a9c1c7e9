from __future__ import annotations

import numpy as np
import pytest

from service.reader_study.detection import Estimate, compare


def test_figures_by_hand() -> None:
    # Two readers, two cases. Alone: TP 1+0+1+1, FP 1+0+0+1, FN 0+1+1+0. With: TP 4, FP 1, FN 1.
    alone = [[(1, 1, 0), (0, 0, 1)], [(1, 0, 1), (1, 1, 0)]]
    beside = [[(1, 0, 0), (1, 1, 0)], [(1, 0, 1), (1, 0, 0)]]
    counts = np.stack([np.array(alone), np.array(beside)], axis=2)
    found = compare(counts, seed=1)
    assert (found.original.true_positives, found.original.false_positives, found.original.false_negatives) == (3, 2, 2)
    assert found.original.precision.value == pytest.approx(3 / 5)
    assert found.original.recall.value == pytest.approx(3 / 5)
    assert found.original.f1.value == pytest.approx(6 / 10)
    assert found.with_soft_tissue.precision.value == pytest.approx(4 / 5)
    assert found.with_soft_tissue.recall.value == pytest.approx(4 / 5)
    assert found.recall_gain.value == pytest.approx(1 / 5)
    assert found.f1_gain.value == pytest.approx(8 / 10 - 6 / 10)


def test_what_has_no_denominator_is_not_defined() -> None:
    found = compare(np.zeros((1, 3, 2, 3), dtype=np.int64), seed=1)
    assert found.original.f1 == found.recall_gain == Estimate(None)
    nothing_marked = np.tile([0, 0, 1], (1, 3, 2, 1))
    found = compare(nothing_marked, seed=1)
    assert found.original.precision == Estimate(None)
    assert found.original.recall == Estimate(0.0, 0.0, 0.0)


def test_where_all_cases_are_alike_there_is_no_uncertainty() -> None:
    found = compare(np.tile([[2, 1, 0], [2, 0, 0]], (2, 6, 1, 1)), seed=3)
    assert found.original.precision == Estimate(pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.precision_gain.low == found.precision_gain.high == pytest.approx(1 / 3)


def test_the_interval_of_a_recall_is_that_of_a_binomial_share() -> None:
    # One reader, 200 cases of one finding each, 140 found: drawing cases anew draws from a binomial distribution.
    found_in = np.zeros((1, 200, 2, 3), dtype=np.int64)
    found_in[0, :140, :, 0] = 1
    found_in[0, 140:, :, 2] = 1
    recall = compare(found_in, seed=7, draws=20_000).original.recall
    spread = 1.959964 * (0.7 * 0.3 / 200) ** 0.5
    assert recall.low == pytest.approx(0.7 - spread, abs=0.006)
    assert recall.high == pytest.approx(0.7 + spread, abs=0.006)


def test_drawing_readers_too_widens_the_interval_when_readers_differ() -> None:
    # One reader finds everything, the other nothing: the cases alone would say 0.5 without any doubt.
    counts = np.zeros((2, 50, 2, 3), dtype=np.int64)
    counts[0, :, :, 0] = 1
    counts[1, :, :, 2] = 1
    found = compare(counts, seed=7)
    assert found.original.recall.value == 0.5
    assert (found.original.recall.low, found.original.recall.high) == (0.0, 1.0)
    # What a reader does to both readings stays together.
    assert found.recall_gain == Estimate(0.0, 0.0, 0.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = np.random.default_rng(1).integers(0, 3, (3, 20, 2, 3))
    assert compare(counts, seed=11) == compare(counts, seed=11)
    assert compare(counts, seed=11).original.f1 != compare(counts, seed=12).original.f1


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="readers, cases, 2, 3"):
        compare(np.zeros((1, 3, 3, 2), dtype=np.int64), seed=1)
