from __future__ import annotations

import pytest

from service.reader_study.criteria import Criterion, Scores
from service.reader_study.score_summary import GivenScores, PairAgreement, summarise


def test_means_and_agreement_by_hand() -> None:
    given = [
        GivenScores("a", "ann", Scores(1, 3, 2)),
        GivenScores("b", "ann", Scores(2, 3, 2)),
        GivenScores("c", "ann", Scores(3, 3, 2)),
        GivenScores("d", "ann", Scores(1, 3, 2)),
        GivenScores("a", "bob", Scores(1, 3, 2)),
        GivenScores("b", "bob", Scores(3, 3, 2)),
        GivenScores("c", "bob", Scores(3, 3, 2)),
        GivenScores("d", "bob", Scores(3, 3, 2)),
        GivenScores("e", "bob", Scores(2, 2, 2)),
    ]
    vessels, airways, bone = summarise(given)
    assert [summary.criterion for summary in (vessels, airways, bone)] == list(Criterion)
    ann, bob = vessels.by_reader
    assert (ann.reader, ann.count, ann.mean) == ("ann", 4, 7 / 4)
    assert ann.deviation == pytest.approx((11 / 12) ** 0.5)  # squares 9, 1, 25, 9 sixteenths; 44/16 over 3
    assert (bob.count, bob.mean) == (5, 12 / 5)
    assert (vessels.overall.count, vessels.overall.mean) == (9, pytest.approx(19 / 9))
    # The four cases that both scored: as in the test of kappa.
    assert vessels.pairs == (PairAgreement(("ann", "bob"), 4, pytest.approx(3 / 8)),)
    assert airways.pairs[0].kappa is None
    assert bone.alpha is None


def test_of_two_scores_for_one_case_the_later_counts() -> None:
    given = [GivenScores("a", "ann", Scores(1, 1, 1)), GivenScores("a", "ann", Scores(3, 3, 3))]
    (only,) = summarise(given)[0].by_reader
    assert (only.count, only.mean, only.deviation) == (1, 3, None)


def test_without_scores_there_is_no_summary() -> None:
    assert summarise([]) == ()


@pytest.mark.parametrize("wrong", [0, 4, -1])
def test_a_score_outside_of_the_scale_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 3"):
        Scores(1, wrong, 3)
