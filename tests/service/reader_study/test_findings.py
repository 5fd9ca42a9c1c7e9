from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader_study.findings import Counts, Mark, Region, Spacing, TrueFinding, count, distance_mm

SQUARE = Spacing(0.2, 0.2)
"""10 mm are 50 pixels."""


def mark(column: float, row: float, kind: str = "nodule", confidence: int = 3, **box: float) -> Mark:
    return Mark(Region(column, row, **box), kind, confidence)


def truth(column: float, row: float, kind: str = "nodule", **box: float) -> TrueFinding:
    return TrueFinding(Region(column, row, **box), kind)


def test_distance_is_in_mm_of_the_detector_with_either_spacing() -> None:
    # 30 columns of 0.1 mm and 20 rows of 0.2 mm: 3 and 4 mm.
    assert distance_mm(Region(130, 120), Region(100, 100), Spacing(row_mm=0.2, column_mm=0.1)) == pytest.approx(5)


def test_a_box_is_where_its_middle_is_and_a_finding_reaches_to_its_edge() -> None:
    boxed = Region(100, 100, width=20, height=10)
    assert boxed.centre == (110, 105)
    assert distance_mm(boxed, Region(110, 105), SQUARE) == 0
    assert distance_mm(Region(115, 108), boxed, SQUARE) == 0
    assert distance_mm(Region(125, 105), boxed, SQUARE) == pytest.approx(1)


def test_the_tolerance_itself_still_counts() -> None:
    finding = [truth(100, 100)]
    assert count([mark(150, 100)], finding, spacing=SQUARE, tolerance_mm=10) == Counts(1, 0, 0)
    assert count([mark(151, 100)], finding, spacing=SQUARE, tolerance_mm=10) == Counts(0, 1, 1)


def test_another_type_is_another_finding() -> None:
    assert count([mark(100, 100, "pneumothorax")], [truth(100, 100)], spacing=SQUARE, tolerance_mm=10) == Counts(
        0, 1, 1
    )


def test_a_second_mark_on_one_finding_is_a_false_positive() -> None:
    assert count([mark(100, 100), mark(101, 100)], [truth(100, 100)], spacing=SQUARE, tolerance_mm=10) == Counts(
        1, 1, 0
    )


def test_marks_are_shared_out_so_that_most_are_right() -> None:
    # The first mark could take either finding, the second only the left one.
    marks, findings = [mark(120, 100), mark(80, 100)], [truth(100, 100), truth(160, 100)]
    for order in permutations(marks):
        assert count(order, findings, spacing=SQUARE, tolerance_mm=10) == Counts(2, 0, 0)


def test_marks_of_less_confidence_can_be_left_out() -> None:
    marks = [mark(100, 100, confidence=2), mark(500, 500, confidence=4)]
    found = [count(marks, [truth(100, 100)], spacing=SQUARE, tolerance_mm=10, least_confidence=n) for n in (1, 3, 5)]
    assert found == [Counts(1, 1, 0), Counts(0, 1, 1), Counts(0, 0, 1)]


points = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=5)


@given(points, points)
def test_as_many_are_found_as_any_assignment_could(marked: list[tuple[int, int]], true: list[tuple[int, int]]) -> None:
    near = Spacing(1, 1)
    marks, findings = [mark(*place) for place in marked], [truth(*place) for place in true]
    found = count(marks, findings, spacing=near, tolerance_mm=2)
    short, long = sorted((marks, findings), key=len)
    best = max(
        (
            sum(distance_mm(one.region, other.region, near) <= 2 for one, other in zip(short, chosen, strict=True))
            for chosen in permutations(long, len(short))
        ),
        default=0,
    )
    assert found == Counts(best, len(marks) - best, len(findings) - best)
