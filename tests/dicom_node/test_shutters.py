from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_node.shutters import inside_collimator, visible_by_shutter


def header(**values: object) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def rectangle(left: int, right: int, upper: int, lower: int) -> dict[str, object]:
    return {
        "ShutterLeftVerticalEdge": left,
        "ShutterRightVerticalEdge": right,
        "ShutterUpperHorizontalEdge": upper,
        "ShutterLowerHorizontalEdge": lower,
    }


def test_edges_of_a_rectangle_count_from_one_and_are_outside() -> None:
    mask = visible_by_shutter(header(ShutterShape="RECTANGULAR", **rectangle(2, 5, 1, 4)), 6, 6)
    assert mask is not None
    expected = np.zeros((6, 6), np.bool_)
    expected[1:3, 2:4] = True
    assert np.array_equal(mask, expected)


def test_a_circle_is_given_as_row_and_column() -> None:
    ds = header(ShutterShape="CIRCULAR", CenterOfCircularShutter=[10, 30], RadiusOfCircularShutter=5)
    mask = visible_by_shutter(ds, 40, 40)
    assert mask is not None
    assert mask[9, 29]
    assert not mask[29, 9]
    assert mask.sum() == pytest.approx(np.pi * 25, rel=0.15)


def test_a_polygon_is_given_as_rows_and_columns() -> None:
    ds = header(ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[1, 1, 1, 21, 11, 11])
    mask = visible_by_shutter(ds, 30, 30)
    assert mask is not None
    assert mask[3, 10]
    assert not mask[3, 25]
    assert not mask[20, 10]


def test_several_shapes_are_intersected() -> None:
    ds = header(ShutterShape=["RECTANGULAR", "CIRCULAR"], **rectangle(0, 11, 0, 41))
    ds.CenterOfCircularShutter, ds.RadiusOfCircularShutter = [20, 20], 12
    mask = visible_by_shutter(ds, 40, 40)
    assert mask is not None
    assert not mask[19, 15]
    assert not mask[1, 1]
    assert mask[19, 9]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"ShutterShape": "RECTANGULAR"},
        {"ShutterShape": "RECTANGULAR", **rectangle(5, 2, 5, 2)},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [3, 3], "RadiusOfCircularShutter": 0},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [900, 900], "RadiusOfCircularShutter": 5},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 2, 2]},
        {"ShutterShape": "STARRY"},
    ],
)
def test_a_shape_that_is_malformed_or_leaves_nothing_is_left_out_of_account(values: dict[str, object]) -> None:
    assert visible_by_shutter(header(**values), 20, 20) is None


def test_the_collimator_is_read_from_its_own_attributes() -> None:
    ds = header(CollimatorShape="RECTANGULAR", CollimatorLeftVerticalEdge=0, CollimatorRightVerticalEdge=4)
    ds.CollimatorUpperHorizontalEdge, ds.CollimatorLowerHorizontalEdge = 0, 30
    mask = inside_collimator(ds, 20, 20)
    assert mask is not None
    assert mask[:, :3].all()
    assert not mask[:, 3:].any()
    assert visible_by_shutter(ds, 20, 20) is None
