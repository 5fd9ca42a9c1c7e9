"""Pixels in and out: what the model sees of an object, and how its answer becomes stored values again.

In: decode → mask to Bits Stored → sign → modality transform → VOI → polarity, at full depth, as PS3.3 C.11 and C.7.6.3
have it. Out: the exact inverse, so that a residual of zero gives back every stored value bit for bit, and padding and
whatever lies outside the display shutter is never touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.decoding import decode_stored
from dicom_node.display_mapping import DisplayMapping
from dicom_node.errors import DerivationError, PixelError, PixelErrorCode
from dicom_node.image_pixel import ImagePixel, read_image_pixel
from dicom_node.pixel_padding import PixelPadding, read_pixel_padding
from dicom_node.polarity import looks_inverted
from dicom_node.presentation import AddedVoi, read_presentation
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from dicom_node.valid_pixels import alterable_pixels, valid_pixels

__all__ = ["SourceImage", "decodable_transfer_syntaxes", "encode_pixel_data", "read_source", "write_back"]


@dataclass(frozen=True)
class SourceImage:
    """One radiograph's pixels, row 0 at the top.

    `stored` (H, W) int32: stored values within Bits Stored, sign extended, unused high bits dropped.
    `display` (H, W) float32: 0…1 across the window, going on outside it, bone bright as on a diagnostic screen.
    `alterable` (H, W) bool: False for padding and outside the display shutter.
    `valid` (H, W) bool: those of `alterable` inside the collimator, which show the patient.
    `notes`: what the header made necessary, e.g. "NO_VOI"; codes, no patient data.
    `added_voi`: the VOI that `display` was made with and the header lacks, for the derived object to carry; else None.
    """

    stored: npt.NDArray[np.int32]
    display: npt.NDArray[np.float32]
    alterable: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    mapping: DisplayMapping
    layout: ImagePixel
    padding: PixelPadding | None
    notes: tuple[str, ...]
    added_voi: AddedVoi | None = None


def read_source(ds: Dataset, *, check_polarity: bool = True) -> SourceImage:
    """The pixels of a radiograph; PixelError with a code when they cannot be used, `ds` is left as it was.

    `check_polarity` refuses a picture that looks inverted (POLARITY_SUSPECT), whatever its header says.
    """
    layout = read_image_pixel(ds)
    stored = decode_stored(ds, layout)
    padding = read_pixel_padding(ds, layout)
    alterable = alterable_pixels(ds, layout, stored)
    valid = valid_pixels(ds, layout, alterable)
    presentation = read_presentation(ds, layout, stored, valid)
    display = presentation.mapping.to_display(stored)
    if check_polarity and looks_inverted(display, valid):
        raise PixelError(
            PixelErrorCode.POLARITY_SUSPECT,
            f"expected bright bone from {layout.photometric_interpretation}, found a picture that looks inverted",
        )
    mapping, notes = presentation.mapping, presentation.notes
    return SourceImage(stored, display, alterable, valid, mapping, layout, padding, notes, presentation.added_voi)


def write_back(source: SourceImage, residual: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    """(H, W) int32 stored values of display − `residual`, the bone that is to vanish, (H, W) in display units.

    Each is the stored value whose display value lies nearest, so within one stored unit; the ends of the stored range
    hold. Where the residual is zero, where `alterable` is False, the stored value is the source's own.
    """
    if residual.shape != source.stored.shape:
        raise DerivationError(
            "RESIDUAL_INVALID", f"expected a residual of {source.stored.shape}, found {residual.shape}"
        )
    if not np.isfinite(residual).all():
        raise DerivationError("RESIDUAL_INVALID", "expected finite residual values, found NaN or infinity")
    changed = source.mapping.subtract(source.stored, residual)
    if source.padding is not None:
        changed = source.padding.keep_out(changed, source.stored)
    return np.where(source.alterable, changed, source.stored).astype(np.int32)


def encode_pixel_data(ds: Dataset, stored: npt.NDArray[np.integer]) -> bytes:
    """`stored` (H, W) as the little-endian 16-bit words of native Pixel Data, checked against the layout of `ds`."""
    return encode_stored(read_image_pixel(ds), stored)


def encode_stored(layout: ImagePixel, stored: npt.NDArray[np.integer]) -> bytes:
    """`stored` (H, W) as the little-endian 16-bit words of native Pixel Data, checked against `layout`."""
    if stored.shape != (layout.rows, layout.columns):
        raise DerivationError(
            "PIXELS_DO_NOT_FIT", f"expected {layout.rows} × {layout.columns} pixels, found {stored.shape}"
        )
    if stored.min() < layout.lowest or stored.max() > layout.highest:
        raise DerivationError(
            "PIXELS_DO_NOT_FIT",
            f"expected stored values from {layout.lowest} to {layout.highest}, found {stored.min()} to {stored.max()}",
        )
    return stored.astype("<i2" if layout.signed else "<u2").tobytes()
