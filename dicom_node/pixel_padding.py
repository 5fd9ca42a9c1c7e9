"""Pixel Padding (PS3.3 C.7.5.1.1.2): stored values that mean "no image here"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.header_values import integer
from dicom_node.image_pixel import ImagePixel


@dataclass(frozen=True)
class PixelPadding:
    """Stored values from `lowest` to `highest`, both included, are padding."""

    lowest: int
    highest: int

    def mask(self, stored: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """(H, W) True where the pixel is padding."""
        return (stored >= self.lowest) & (stored <= self.highest)

    def keep_out(self, stored: npt.NDArray[np.int32], before: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """`stored`, where no pixel that was image `before` has become, or jumped across, padding."""
        below = np.where(before < self.lowest, np.minimum(stored, self.lowest - 1), stored)
        return np.where(before > self.highest, np.maximum(below, self.highest + 1), below).astype(np.int32)


def read_pixel_padding(ds: Dataset, layout: ImagePixel) -> PixelPadding | None:
    """The padding range of the header, or None. The limit may lie on either side (MONOCHROME1 pads at the high end)."""
    value = integer(ds, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(ds, "PixelPaddingRangeLimit")
    ends = [_as_stored(one, layout) for one in (value, value if limit is None else limit)]
    return PixelPadding(min(ends), max(ends))


def _as_stored(value: int, layout: ImagePixel) -> int:
    """The value as it looks among the stored values: masked and sign-extended like them."""
    masked = value & ((1 << layout.bits_stored) - 1)
    return masked - (1 << layout.bits_stored) if masked > layout.highest else masked
