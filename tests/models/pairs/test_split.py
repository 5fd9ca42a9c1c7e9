from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pairs.errors import PairDataError
from models.pairs.split import Split, draw_split

EIGHT = (8.0, 1.0, 1.0)
SEVEN = (7.0, 2.0, 1.0)
patients = st.sets(st.text(min_size=1, max_size=12), min_size=1, max_size=60)
seeds = st.integers(0, 2**32)
ratios = st.sampled_from([EIGHT, SEVEN, (1.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.6, 0.4, 0.0), (1e-3, 1.0, 1.0)])


@given(patients, seeds, ratios)
def test_every_patient_has_one_split_and_training_is_never_empty(
    names: set[str], seed: int, wanted: tuple[float, float, float]
) -> None:
    drawn = draw_split(names, seed=seed, ratios=wanted)
    assert drawn.keys() == names
    assert Split.TRAIN in drawn.values()


@given(patients, seeds, ratios)
def test_the_split_is_a_function_of_names_and_seed_and_of_no_order(
    names: set[str], seed: int, wanted: tuple[float, float, float]
) -> None:
    doubled = [*sorted(names), *sorted(names, reverse=True)]
    assert draw_split(doubled, seed=seed, ratios=wanted) == draw_split(names, seed=seed, ratios=wanted)


@given(patients, st.text(min_size=1, max_size=12), seeds, st.sampled_from([EIGHT, SEVEN]))
def test_a_patient_who_is_added_moves_at_most_two_others(
    names: set[str], added: str, seed: int, wanted: tuple[float, float, float]
) -> None:
    before = draw_split(names, seed=seed, ratios=wanted)
    after = draw_split(names | {added}, seed=seed, ratios=wanted)
    assert sum(before[name] is not after[name] for name in names) <= 2


@pytest.mark.parametrize(("wanted", "counts"), [(EIGHT, (80, 10, 10)), (SEVEN, (70, 20, 10))])
def test_a_hundred_patients_are_cut_exactly_in_the_ratios(
    wanted: tuple[float, float, float], counts: tuple[int, int, int]
) -> None:
    drawn = Counter(draw_split(map(str, range(100)), seed=3, ratios=wanted).values())
    assert tuple(drawn[split] for split in Split) == counts


@pytest.mark.parametrize(("total", "counts"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))])
def test_a_few_patients_train_first_then_test_then_validate(total: int, counts: tuple[int, int, int]) -> None:
    drawn = Counter(draw_split(map(str, range(total)), seed=0, ratios=EIGHT).values())
    assert tuple(drawn[split] for split in Split) == counts


def test_another_seed_gives_another_split() -> None:
    names = [str(number) for number in range(50)]
    assert draw_split(names, seed=0, ratios=SEVEN) != draw_split(names, seed=1, ratios=SEVEN)


@pytest.mark.parametrize("wanted", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (float("nan"), 1.0, 1.0), (1.0, 1.0)])
def test_ratios_that_cannot_be_are_refused(wanted: tuple[float, float, float]) -> None:
    with pytest.raises(PairDataError, match="8:1:1") as caught:
        draw_split(["a"], seed=0, ratios=wanted)
    assert caught.value.code == "OPTION_INVALID"
