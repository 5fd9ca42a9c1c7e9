"""Stored values to modality values (PS3.3 C.11.1): a Modality LUT, or Rescale Slope and Intercept, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.header_values import items, number, present
from dicom_node.lookup_tables import LookupTable, is_big_endian, read_lookup_table


@dataclass(frozen=True)
class ModalityTransform:
    """Either `table`, or `slope` · stored + `intercept`."""

    slope: float = 1.0
    intercept: float = 0.0
    table: LookupTable | None = None

    def __call__(self, codes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Modality value of each stored value."""
        return self.table(codes) if self.table else codes * self.slope + self.intercept

    @property
    def is_identity(self) -> bool:
        """Whether modality values are the stored values, as DX demands (C.8.11.3)."""
        return self.table is None and self.slope == 1.0 and self.intercept == 0.0


def read_modality_transform(ds: Dataset) -> ModalityTransform:
    """The transform that the header states; PixelError when it states one that cannot be applied."""
    for item in items(ds, "ModalityLUTSequence"):
        table = read_lookup_table(item, big_endian=is_big_endian(ds))
        if table is None:
            raise PixelError(
                PixelErrorCode.MODALITY_TRANSFORM_INVALID, "expected a Modality LUT, found one that cannot be read"
            )
        return ModalityTransform(table=table)
    slope, intercept = _stated(ds, "RescaleSlope", 1.0), _stated(ds, "RescaleIntercept", 0.0)
    if slope == 0.0 or abs(slope) > 1e9 or abs(intercept) > 1e9 or abs(slope) < 1e-9:
        raise PixelError(
            PixelErrorCode.MODALITY_TRANSFORM_INVALID,
            f"expected a usable rescale, found slope {slope:g} and intercept {intercept:g}",
        )
    return ModalityTransform(slope, intercept)


def _stated(ds: Dataset, keyword: str, default: float) -> float:
    value = number(ds, keyword)
    if value is not None:
        return value
    if present(ds, keyword) and ds.get_item(keyword).value not in (None, "", b""):
        raise PixelError(PixelErrorCode.MODALITY_TRANSFORM_INVALID, f"expected a number in {keyword}, found none")
    return default
