"""Size and pixel spacing of a stored radiograph, from its header alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from service.errors import PermanentError


@dataclass(frozen=True)
class PixelGeometry:
    """`row_mm` between the middles of neighbouring rows, `column_mm` of columns, in the detector's plane."""

    rows: int
    columns: int
    row_mm: float
    column_mm: float


def read_geometry(path: Path) -> PixelGeometry:
    """From Imager Pixel Spacing (0018,1164), else Pixel Spacing (0028,0030). Raises PermanentError without either."""
    wanted = ["Rows", "Columns", "ImagerPixelSpacing", "PixelSpacing"]
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=wanted)
        spacing = [float(part) for part in header.get("ImagerPixelSpacing") or header.get("PixelSpacing") or ()]
        found = PixelGeometry(int(header.Rows), int(header.Columns), *spacing)
    except (OSError, InvalidDicomError, AttributeError, TypeError, ValueError):
        raise _missing() from None
    if min(found.rows, found.columns) < 1 or not (0 < found.row_mm < 10 and 0 < found.column_mm < 10):
        raise _missing()
    return found


def _missing() -> PermanentError:
    return PermanentError(
        "PIXEL_SPACING_MISSING", "expected Rows, Columns and Imager Pixel Spacing or Pixel Spacing in mm, found none"
    )
