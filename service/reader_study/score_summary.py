"""Mean scores by criterion and reader, and how far the readers agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from service.reader_study.agreement import krippendorff_alpha, weighted_kappa
from service.reader_study.criteria import HIGHEST, LOWEST, Criterion, Scores


@dataclass(frozen=True)
class GivenScores:
    """What `reader` gave the result of one case."""

    case: str
    reader: str
    scores: Scores


@dataclass(frozen=True)
class Mean:
    """Of one reader's scores, or of all readers' (`reader` None); `deviation`: sample standard deviation, from 2 on."""

    reader: str | None
    count: int
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class PairAgreement:
    """Quadratically weighted kappa of two readers over the `cases` that both scored; None: not defined."""

    readers: tuple[str, str]
    cases: int
    kappa: float | None


@dataclass(frozen=True)
class CriterionSummary:
    """One criterion; `alpha` is Krippendorff's, ordinal, over the cases that two readers or more scored."""

    criterion: Criterion
    overall: Mean
    by_reader: tuple[Mean, ...]
    alpha: float | None
    pairs: tuple[PairAgreement, ...]


def summarise(given: Sequence[GivenScores]) -> tuple[CriterionSummary, ...]:
    """One summary for each criterion; none without scores. Of two scores of one reader for one case the later counts.

    The overall mean is over all scores, so a reader who scored more cases weighs more.
    """
    latest = {(score.case, score.reader): score.scores for score in given}
    if not latest:
        return ()
    return tuple(_summarise(criterion, latest) for criterion in Criterion)


def _summarise(criterion: Criterion, latest: dict[tuple[str, str], Scores]) -> CriterionSummary:
    by_reader: dict[str, dict[str, int]] = defaultdict(dict)
    by_case: dict[str, list[int]] = defaultdict(list)
    for (case, reader), scores in latest.items():
        by_reader[reader][case] = scores.of(criterion)
        by_case[case].append(scores.of(criterion))
    readers = sorted(by_reader)
    return CriterionSummary(
        criterion,
        _mean(None, [score for scores in by_case.values() for score in scores]),
        tuple(_mean(reader, by_reader[reader].values()) for reader in readers),
        krippendorff_alpha(list(by_case.values())),
        tuple(_pair(one, other, by_reader[one], by_reader[other]) for one, other in combinations(readers, 2)),
    )


def _mean(reader: str | None, scores: Iterable[int]) -> Mean:
    values = list(scores)
    return Mean(reader, len(values), fmean(values), stdev(values) if len(values) > 1 else None)


def _pair(one: str, other: str, scores: dict[str, int], others: dict[str, int]) -> PairAgreement:
    both = sorted(scores.keys() & others.keys())
    kappa = weighted_kappa(
        [scores[case] for case in both], [others[case] for case in both], lowest=LOWEST, highest=HIGHEST
    )
    return PairAgreement((one, other), len(both), kappa)
