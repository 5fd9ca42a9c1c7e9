"""The Image Pixel Module (PS3.3 C.7.6.3) of a radiograph, checked before any pixel is touched.

Every limit is checked here, so that a header that lies about its size costs nothing: 65535 × 65535 with a kilobyte of
pixels is an error message, not an allocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.header_values import integer, present, text
from dicom_node.header_words import quoted

MIN_BITS_STORED = 10
MAX_SIDE = 16_384  # the largest detectors have 4,300; compressed data of this size still fits in memory
MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class ImagePixel:
    """How the stored values of one frame are laid out; `lowest` and `highest` bound what Bits Stored can hold."""

    rows: int
    columns: int
    bits_stored: int
    signed: bool
    photometric_interpretation: str

    @property
    def lowest(self) -> int:
        """The smallest stored value that the layout can hold."""
        return -(1 << (self.bits_stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The largest stored value that the layout can hold."""
        return self.lowest + (1 << self.bits_stored) - 1


def read_image_pixel(ds: Dataset) -> ImagePixel:
    """The layout of a single-frame 16-bit grayscale image; PixelError for anything else."""
    samples = _required(ds, "SamplesPerPixel")
    photometric = text(ds, "PhotometricInterpretation").upper()
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise PixelError(
            PixelErrorCode.NOT_GRAYSCALE,
            f"expected one sample of MONOCHROME1 or MONOCHROME2, found {samples} of {quoted(photometric)}",
        )
    frames = integer(ds, "NumberOfFrames")
    if present(ds, "NumberOfFrames") and frames not in (None, 1):
        raise PixelError(PixelErrorCode.MULTI_FRAME, f"expected one frame, found {frames}")
    rows, columns = _required(ds, "Rows"), _required(ds, "Columns")
    if rows < 1 or columns < 1:
        raise PixelError(PixelErrorCode.ATTRIBUTE_INVALID, f"expected a matrix, found {rows} × {columns}")
    if max(rows, columns) > MAX_SIDE or rows * columns > MAX_PIXELS:
        raise PixelError(
            PixelErrorCode.MATRIX_TOO_LARGE,
            f"expected sides of at most {MAX_SIDE} and {MAX_PIXELS} pixels, found {rows} × {columns}",
        )
    return ImagePixel(rows, columns, _bits_stored(ds), _signed(ds), photometric)


def _bits_stored(ds: Dataset) -> int:
    allocated, stored = _required(ds, "BitsAllocated"), _required(ds, "BitsStored")
    if allocated != 16 or not MIN_BITS_STORED <= stored <= 16:
        raise PixelError(
            PixelErrorCode.BIT_DEPTH_NOT_SUPPORTED,
            f"expected {MIN_BITS_STORED} to 16 bits stored in 16 allocated, found {stored} in {allocated}",
        )
    high_bit = _required(ds, "HighBit")
    if high_bit != stored - 1:  # packing that was retired in 1998; shifting would be a guess
        raise PixelError(PixelErrorCode.HIGH_BIT_NOT_SUPPORTED, f"expected High Bit {stored - 1}, found {high_bit}")
    return stored


def _signed(ds: Dataset) -> bool:
    representation = _required(ds, "PixelRepresentation")
    if representation not in (0, 1):
        raise PixelError(
            PixelErrorCode.ATTRIBUTE_INVALID, f"expected Pixel Representation 0 or 1, found {representation}"
        )
    return representation == 1


def _required(ds: Dataset, keyword: str) -> int:
    value = integer(ds, keyword)
    if value is not None:
        return value
    if present(ds, keyword):
        raise PixelError(PixelErrorCode.ATTRIBUTE_INVALID, f"expected a whole number in {keyword}, found none")
    raise PixelError(PixelErrorCode.ATTRIBUTE_MISSING, f"expected {keyword}, found none")
