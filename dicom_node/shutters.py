"""Display shutter and collimator as masks (PS3.3 C.7.6.11, C.8.7.3): rectangles, circles and polygons, intersected.

Edges and vertices count from 1 and lie outside the visible part. A bitmap shutter belongs to presentation states, not
to images, and a shape that is malformed or leaves nothing visible is left out of account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset

from dicom_node.header_values import number, numbers, texts

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Keywords:
    shape: str
    left: str
    right: str
    upper: str
    lower: str
    center: str
    radius: str
    vertices: str


_SHUTTER = _Keywords(
    "ShutterShape",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
)
_COLLIMATOR = _Keywords(
    "CollimatorShape",
    "CollimatorLeftVerticalEdge",
    "CollimatorRightVerticalEdge",
    "CollimatorUpperHorizontalEdge",
    "CollimatorLowerHorizontalEdge",
    "CenterOfCircularCollimator",
    "RadiusOfCircularCollimator",
    "VerticesOfThePolygonalCollimator",
)


def visible_by_shutter(ds: Dataset, rows: int, columns: int) -> Mask | None:
    """(H, W) True inside the display shutter; None when there is none that can be used."""
    return _visible(ds, _SHUTTER, rows, columns)


def inside_collimator(ds: Dataset, rows: int, columns: int) -> Mask | None:
    """(H, W) True inside the collimated field; None when the header does not tell."""
    return _visible(ds, _COLLIMATOR, rows, columns)


def _visible(ds: Dataset, keywords: _Keywords, rows: int, columns: int) -> Mask | None:
    visible: Mask | None = None
    shapes = {shape.upper() for shape in texts(ds, keywords.shape)}
    for name, read in (("RECTANGULAR", _rectangle), ("CIRCULAR", _circle), ("POLYGONAL", _polygon)):
        mask = read(ds, keywords, rows, columns) if name in shapes else None
        if mask is not None:
            visible = mask if visible is None else visible & mask
    return visible if visible is not None and visible.any() else None


def _rectangle(ds: Dataset, keywords: _Keywords, rows: int, columns: int) -> Mask | None:
    left, right = number(ds, keywords.left), number(ds, keywords.right)
    upper, lower = number(ds, keywords.upper), number(ds, keywords.lower)
    if left is None or right is None or upper is None or lower is None:
        return None
    y, x = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)[None, :]
    return (y > upper) & (y < lower) & (x > left) & (x < right)


def _circle(ds: Dataset, keywords: _Keywords, rows: int, columns: int) -> Mask | None:
    center, radius = numbers(ds, keywords.center), number(ds, keywords.radius)
    if len(center) != 2 or radius is None or not 0 < radius < 1e6:
        return None
    y, x = np.arange(1, rows + 1)[:, None] - center[0], np.arange(1, columns + 1)[None, :] - center[1]
    return np.asarray(y * y + x * x < radius * radius)


def _polygon(ds: Dataset, keywords: _Keywords, rows: int, columns: int) -> Mask | None:
    flat = numbers(ds, keywords.vertices)  # row 1, column 1, row 2, column 2, …
    if len(flat) < 6 or len(flat) % 2 or max(map(abs, flat)) > 1e6:
        return None
    canvas = Image.new("1", (columns, rows))
    corners = [(column - 1, row - 1) for row, column in zip(flat[::2], flat[1::2], strict=True)]
    ImageDraw.Draw(canvas).polygon(corners, fill=1)
    return np.array(canvas, np.bool_)
