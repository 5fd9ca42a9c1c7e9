from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader_study.order import Reading, reading_order, williams_square


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 9, 30])
def test_in_a_williams_square_each_case_follows_each_other_equally_often(size: int) -> None:
    rows = williams_square(size)
    assert all(sorted(row) == list(range(size)) for row in rows)
    for place in range(size):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // size}
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == size * (size - 1)
    assert len(set(follows.values())) <= 1


@given(st.integers(1, 40), st.integers(0, 60), st.integers(0, 2**63))
def test_every_case_is_read_in_both_ways_one_in_each_session(cases: int, reader: int, seed: int) -> None:
    turns = reading_order(cases=cases, reader=reader, seed=seed)
    assert [turn.session for turn in turns] == [1] * cases + [2] * cases
    assert {(turn.case, turn.reading) for turn in turns} == {(c, r) for c in range(cases) for r in Reading}
    for session in (1, 2):
        assert sorted(turn.case for turn in turns if turn.session == session) == list(range(cases))


@given(st.integers(1, 20), st.integers(0, 2**31))
def test_neither_way_is_always_the_first(half: int, seed: int) -> None:
    cases = 2 * half
    first = [reading_order(cases=cases, reader=reader, seed=seed)[:cases] for reader in (0, 1)]
    for turns in first:
        assert sum(turn.reading is Reading.ORIGINAL for turn in turns) == half
    by_case = [{turn.case: turn.reading for turn in turns} for turns in first]
    assert all(by_case[0][case] is by_case[1][case].other for case in range(cases))


def test_the_order_is_kept_from_release_to_release() -> None:
    turns = reading_order(cases=4, reader=1, seed=20260131)
    assert [(turn.session, turn.case, turn.reading.value) for turn in turns] == EXPECTED
    assert reading_order(cases=4, reader=1, seed=20260132) != turns


def test_session_two_goes_through_the_cases_in_another_order() -> None:
    for reader in range(6):
        turns = reading_order(cases=6, reader=reader, seed=1)
        assert [turn.case for turn in turns[:6]] != [turn.case for turn in turns[6:]]


def test_no_case_is_no_study() -> None:
    with pytest.raises(ValueError, match="at least one case"):
        reading_order(cases=0, reader=0, seed=1)


# Row 1 of the square is 1 2 0 3 and row 3 is 3 0 2 1; the seed puts cases 0, 3, 1, 2 at places 0 to 3.
EXPECTED = [
    (1, 3, "ORIGINAL"), (1, 1, "WITH_SOFT_TISSUE"), (1, 0, "WITH_SOFT_TISSUE"), (1, 2, "ORIGINAL"),
    (2, 2, "WITH_SOFT_TISSUE"), (2, 0, "ORIGINAL"), (2, 1, "ORIGINAL"), (2, 3, "WITH_SOFT_TISSUE"),
]  # fmt: skip
