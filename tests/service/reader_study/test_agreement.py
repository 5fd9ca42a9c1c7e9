from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader_study.agreement import krippendorff_alpha, weighted_kappa

# K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), the example with missing data: one line a case.
PUBLISHED = (
    (1, 1, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (5, 5, 5), (1, 1), (3,),
)  # fmt: skip

# What scikit-learn 1.9.1 (cohen_kappa_score, quadratic) and krippendorff 0.9.0 (ordinal) say of these.
ONE = [3, 3, 1, 3, 2, 2, 2, 1, 3, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 3, 1, 2, 3, 1, 1, 2, 1, 3, 1, 3]
TWO = [3, 3, 1, 3, 2, 2, 2, 2, 3, 1, 2, 2, 3, 1, 1, 2, 1, 1, 1, 3, 1, 3, 3, 1, 1, 3, 2, 3, 1, 2]
THREE = [3, 3, 2, 2, 1, 2, 2, 1, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 3, 1, 2, 2, 2, 2, 1, 1, 2, 1, 3]

scores = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=12)


def test_alpha_of_the_published_example_is_the_published_one() -> None:
    assert krippendorff_alpha(PUBLISHED) == pytest.approx(0.815, abs=0.0005)


def test_alpha_and_kappa_are_those_of_the_libraries() -> None:
    assert krippendorff_alpha(list(zip(ONE, TWO, THREE, strict=True))) == pytest.approx(0.6152510521885521)
    assert weighted_kappa(ONE, TWO, lowest=1, highest=3) == pytest.approx(0.7887323943661972)


def test_kappa_by_hand() -> None:
    # Differences 0, 1, 0, 2: sum of squares 5. By chance: (1,2,3,1) against (1,3,3,3), all sixteen pairs, a fourth of
    # (0+4+4+4) + (1+1+1+1) + (4+0+0+0) + (0+4+4+4) = 32, 8. So 1 - 5 / 8.
    assert weighted_kappa([1, 2, 3, 1], [1, 3, 3, 3], lowest=1, highest=3) == pytest.approx(3 / 8)


def test_where_everybody_says_the_same_there_is_no_agreement_beyond_chance_to_speak_of() -> None:
    assert krippendorff_alpha([(2, 2), (2, 2)]) is None
    assert weighted_kappa([2, 2], [2, 2], lowest=1, highest=3) is None
    assert krippendorff_alpha([(1,), (3,)]) is None
    assert weighted_kappa([], [], lowest=1, highest=3) is None


def test_scores_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1"):
        weighted_kappa([1, 2], [1], lowest=1, highest=3)
    with pytest.raises(ValueError, match="from 1 to 3"):
        weighted_kappa([4], [1], lowest=1, highest=3)


@given(scores)
def test_alpha_does_not_depend_on_the_order_of_readers_or_cases(cases: list[tuple[int, int, int]]) -> None:
    expected = krippendorff_alpha(cases)
    turned = krippendorff_alpha([case[::-1] for case in reversed(cases)])
    assert turned == (pytest.approx(expected) if expected is not None else None)


@given(scores)
def test_both_are_at_most_one_and_one_only_where_all_agree(cases: list[tuple[int, int, int]]) -> None:
    first, second = [case[0] for case in cases], [case[1] for case in cases]
    alpha, kappa = krippendorff_alpha(cases), weighted_kappa(first, second, lowest=1, highest=3)
    if alpha is not None:
        assert alpha <= 1
        assert (alpha == pytest.approx(1)) == all(len(set(case)) == 1 for case in cases)
    if kappa is not None:
        assert kappa <= 1
        assert (kappa == pytest.approx(1)) == (first == second)
        assert weighted_kappa(second, first, lowest=1, highest=3) == pytest.approx(kappa)
