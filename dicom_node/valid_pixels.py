"""Which pixels of a radiograph may be altered, and which of them its statistics may see.

Padding and whatever lies outside the display shutter is never altered; what lies outside the collimator is image, but
shows no patient, and must not move a window.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.image_pixel import ImagePixel
from dicom_node.pixel_padding import read_pixel_padding
from dicom_node.shutters import inside_collimator, visible_by_shutter

Mask = npt.NDArray[np.bool_]


def alterable_pixels(ds: Dataset, layout: ImagePixel, stored: npt.NDArray[np.int32]) -> Mask:
    """(H, W) False for padding among the stored values `stored` and outside the display shutter."""
    padding = read_pixel_padding(ds, layout)
    alterable = np.ones(stored.shape, np.bool_) if padding is None else ~padding.mask(stored)
    visible = visible_by_shutter(ds, layout.rows, layout.columns)
    return alterable if visible is None else alterable & visible


def valid_pixels(ds: Dataset, layout: ImagePixel, alterable: Mask) -> Mask:
    """(H, W) those of `alterable` inside the collimator, or all of them when none would be left."""
    exposed = inside_collimator(ds, layout.rows, layout.columns)
    if exposed is None or not (alterable & exposed).any():
        return alterable
    return alterable & exposed
