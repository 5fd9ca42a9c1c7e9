"""Path lengths through tubes and solids against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from models.phantom.geometry import FIELD_MM, Floats, Grid, spline, through
from models.phantom.projection import add_round_tubes, add_solid, add_tube

GRID = Grid(1010)
AREA = GRID.spacing**2


def canvas() -> Floats:
    return np.zeros((GRID.size, GRID.size), np.float32)


def straight(start: tuple[float, float, float], end: tuple[float, float, float], radius: float) -> Floats:
    image, count = canvas(), 40
    line = np.linspace(start, end, count).astype(np.float32)
    same = np.full(count, radius, np.float32)
    outward = np.broadcast_to(np.array([0.0, 0.3, 1.0], np.float32), (count, 3))
    add_tube(image, GRID, line, same, same, outward, np.ones(count, np.float32))
    return image


@pytest.mark.parametrize("end", [(60.0, 200.0, 0.0), (40.0, 260.0, 30.0), (0.0, 200.0, 60.0), (1.0, 330.0, -9.0)])
def test_a_tube_holds_its_volume_in_every_direction(end: tuple[float, float, float]) -> None:
    start = (0.0, 200.0, 0.0)
    length = float(np.linalg.norm(np.subtract(end, start)))
    assert straight(start, end, 5.0).sum() * AREA == pytest.approx(np.pi * 25.0 * length, rel=0.01)


def test_a_tube_across_the_beam_has_the_chord_of_a_cylinder() -> None:
    image = straight((-60.0, 200.0, 0.0), (60.0, 200.0, 0.0), 8.0)
    column = round(GRID.pixel(0.0, 0.0)[1])
    depth = GRID.y[:, 0] - 200.0
    expected = 2.0 * np.sqrt(np.maximum(0.0, 64.0 - depth**2))
    inner = np.abs(depth) < 7.5
    assert np.abs(image[:, column] - expected)[inner].max() < 0.3
    assert image[np.abs(depth) > 8.6, column].max() == 0.0


def test_long_steps_leave_no_ripple_along_a_tube() -> None:
    image = straight((-80.0, 200.0, 0.0), (80.0, 200.0, 0.0), 3.0)
    row = round(GRID.pixel(0.0, 201.5)[0])
    left, right = (round(GRID.pixel(x, 0.0)[1]) for x in (-60.0, 60.0))
    assert np.ptp(image[row, left:right]) < 0.02 * image[row, left:right].mean()


def test_a_tube_along_the_beam_is_as_deep_as_it_is_long() -> None:
    image = straight((10.0, 150.0, -20.0), (10.0, 150.0, 20.0), 6.0)
    row, column = (round(v) for v in GRID.pixel(10.0, 150.0))
    assert image[row, column] == pytest.approx(40.0, rel=0.02)


@pytest.mark.parametrize("radius", [0.05, 0.3, 2.0])
def test_thin_vessels_keep_their_volume_below_a_pixel(radius: float) -> None:
    image = canvas()
    ends = np.array([[[0.0, 100.0, 0.0], [3.0, 102.0, 1.0]]], np.float32)
    add_round_tubes(image, GRID, ends, np.array([radius], np.float32))
    assert image.sum() * AREA == pytest.approx(np.pi * radius**2 * np.sqrt(14.0), rel=0.01)


def test_what_leaves_the_detector_is_cut_off_without_wrapping_round() -> None:
    edge = FIELD_MM / 2
    image = straight((edge - 4.0, 5.0, 0.0), (edge + 40.0, -30.0, 0.0), 6.0)
    assert image.max() > 5.0
    assert image[:, : GRID.size // 2].max() == 0.0
    assert image[GRID.size // 2 :].max() == 0.0


def test_an_ellipsoid_holds_its_volume_whatever_its_turn() -> None:
    image = canvas()
    add_solid(image, GRID, (-20.0, 180.0), (30.0, 12.0, 9.0), angle=0.7)
    assert image.sum() * AREA == pytest.approx(4.0 / 3.0 * np.pi * 30.0 * 12.0 * 9.0, rel=0.01)
    row, column = (round(v) for v in GRID.pixel(-20.0, 180.0))
    assert image[row, column] == pytest.approx(18.0, rel=0.01)


def test_curves_meet_their_knots_and_do_not_overshoot() -> None:
    curve = through([(0, 0), (1, 0), (2, 5), (3, 5)])
    at = np.linspace(-1, 4, 200).astype(np.float32)
    assert curve(np.array([0, 1, 2, 3], np.float32)) == pytest.approx([0, 0, 5, 5])
    assert curve(at).min() >= 0.0
    assert curve(at).max() <= 5.0 + 1e-6


def test_a_spline_passes_through_its_points() -> None:
    points = [(0.0, 0.0, 0.0, 1.0), (10.0, 5.0, 2.0, 2.0), (15.0, 20.0, 3.0, 1.5)]
    line = spline(points, 2000)
    for point in points:
        assert np.abs(line - np.array(point, np.float32)).sum(axis=1).min() < 0.05
