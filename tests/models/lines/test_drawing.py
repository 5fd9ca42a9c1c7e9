from __future__ import annotations

import numpy as np
import pytest

from models.lines.drawing import Line, drawn, smooth_path

ACROSS = np.array([[20.0, -5.0], [20.0, 20.0], [20.0, 45.0]])


def test_a_solid_line_is_as_wide_as_it_says_and_as_strong_along_its_axis() -> None:
    shown = drawn(Line(4.0, 0.2), smooth_path(ACROSS), (41, 41), 0.5)
    assert shown.max() == pytest.approx(0.2)
    assert np.allclose(shown[20], 0.2)
    profile = shown[:, 20]
    assert (profile > 0).sum() == 7  # of 8 pixels across, the two outermost touch the circle only
    assert profile[22] == pytest.approx(0.2 * np.sqrt(1 - (2 / 4) ** 2))


def test_a_tube_is_bright_along_its_two_walls_and_brightest_along_its_stripe() -> None:
    shown = drawn(Line(10.0, 0.04, wall_mm=1.0, stripe=0.09), smooth_path(ACROSS), (41, 41), 0.5)[:, 20]
    bore = shown[20]
    assert shown[11:13].max() > 1.4 * bore
    assert shown[28:30].max() > 1.4 * bore
    assert int(np.argmax(shown)) in (14, 26)
    assert shown[:10].max() == shown[31:].max() == 0


def test_a_path_leads_through_its_points_without_corners() -> None:
    points = np.array([[10.0, 10.0], [40.0, 20.0], [60.0, 70.0], [20.0, 90.0]])
    path = smooth_path(points)
    for point in points[:-1]:
        assert np.hypot(*(path - point).T).min() < 1e-6
    steps = np.diff(path, axis=0)
    assert np.hypot(*steps.T).max() < 1.0
    turns = np.abs(np.diff(np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))))
    assert turns.max() < 0.2


def test_what_lies_outside_the_picture_is_not_drawn_and_nothing_else_is_touched() -> None:
    shown = drawn(Line(2.0, 0.3), np.array([[-30.0, -30.0], [-20.0, -10.0]]), (16, 16), 1.0)
    assert not shown.any()
