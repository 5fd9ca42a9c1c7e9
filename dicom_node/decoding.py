"""Pixel Data of any supported transfer syntax to stored values (PS3.5 8): decode, mask to Bits Stored, extend the sign.

Everything a decoder can trip over is checked first, and whatever it raises becomes a PixelError with a code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRBigEndian

from dicom_node.codestreams import check_frame
from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.gdcm_process import decode_frame as decode_with_gdcm
from dicom_node.header_values import present, text
from dicom_node.image_pixel import ImagePixel
from dicom_node.jpeg2000 import decode_codestream
from dicom_node.transfer_syntaxes import JPEG_2000_FAMILY, JPEG_FAMILY, JPEG_LS_FAMILY, NATIVE, is_decodable

_RLE_HEADER_BYTES = 64


def decode_stored(ds: Dataset, layout: ImagePixel) -> npt.NDArray[np.int32]:
    """(H, W) int32 stored values, within the range of `layout`; bits above Bits Stored are dropped."""
    transfer_syntax = _transfer_syntax(ds)
    pixel_data = _pixel_data(ds)
    if transfer_syntax in NATIVE:
        words = _native_words(pixel_data, layout, transfer_syntax)
    else:
        words = _decoded_words(ds, pixel_data, layout, transfer_syntax)
    return _stored_values(words, layout)


def _transfer_syntax(ds: Dataset) -> UID:
    uid = UID(text(ds.file_meta, "TransferSyntaxUID")) if hasattr(ds, "file_meta") else UID("")
    if not is_decodable(uid):
        raise PixelError(
            PixelErrorCode.TRANSFER_SYNTAX_NOT_SUPPORTED,
            f"expected a transfer syntax that can be decoded, found {uid[:64] or 'none'}",
        )
    return uid


def _pixel_data(ds: Dataset) -> bytes:
    if not present(ds, "PixelData"):
        raise PixelError(PixelErrorCode.PIXEL_DATA_MISSING, "expected Pixel Data, found none")
    try:
        value = ds["PixelData"].value
    except Exception as error:
        raise PixelError(
            PixelErrorCode.PIXEL_DATA_MISSING, f"expected readable Pixel Data, found {type(error).__name__}"
        ) from error
    if not isinstance(value, bytes | bytearray) or not value:
        raise PixelError(PixelErrorCode.PIXEL_DATA_MISSING, "expected Pixel Data, found an empty element")
    return bytes(value)


def _native_words(pixel_data: bytes, layout: ImagePixel, transfer_syntax: UID) -> npt.NDArray[np.uint16]:
    expected = 2 * layout.rows * layout.columns
    if len(pixel_data) < expected:
        raise PixelError(
            PixelErrorCode.PIXEL_DATA_TRUNCATED, f"expected {expected} bytes of Pixel Data, found {len(pixel_data)}"
        )
    order = ">u2" if transfer_syntax == ExplicitVRBigEndian else "<u2"
    words = np.frombuffer(pixel_data, order, count=expected // 2)
    return words.astype(np.uint16).reshape(layout.rows, layout.columns)


def _decoded_words(ds: Dataset, pixel_data: bytes, layout: ImagePixel, transfer_syntax: UID) -> npt.NDArray[np.uint16]:
    try:
        # One frame: generate_frames joins all its fragments, whatever the Basic Offset Table says.
        frame = next(generate_frames(pixel_data, number_of_frames=1))
    except Exception as error:
        raise PixelError(
            PixelErrorCode.PIXEL_DATA_TRUNCATED,
            f"expected one encapsulated frame, found {len(pixel_data)} bytes ({type(error).__name__})",
        ) from error
    check_frame(frame, layout, transfer_syntax)
    if len(frame) < _RLE_HEADER_BYTES:
        raise PixelError(PixelErrorCode.PIXEL_DATA_TRUNCATED, f"expected a frame, found {len(frame)} bytes")
    try:
        pixels = _decode_frame(ds, frame, layout, transfer_syntax)
    except Exception as error:
        raise PixelError(
            PixelErrorCode.DECODE_FAILED,
            f"expected a decodable frame of {transfer_syntax}, found {len(frame)} bytes ({type(error).__name__})",
        ) from error
    if pixels.shape != (layout.rows, layout.columns) or pixels.dtype.kind not in "iu":
        raise PixelError(
            PixelErrorCode.FRAME_MISMATCH,
            f"expected {layout.rows} × {layout.columns} whole numbers, found {pixels.shape} of {pixels.dtype}",
        )
    return (pixels.astype(np.int64) & 0xFFFF).astype(np.uint16)


def _decode_frame(ds: Dataset, frame: bytes, layout: ImagePixel, transfer_syntax: UID) -> npt.NDArray[np.integer]:
    """One decoder for each family, named: pydicom would try gdcm after another failed, and gdcm may abort."""
    if transfer_syntax in JPEG_2000_FAMILY:
        return decode_codestream(frame)
    if transfer_syntax in JPEG_FAMILY:
        return decode_with_gdcm(
            frame,
            rows=layout.rows,
            columns=layout.columns,
            bits_stored=layout.bits_stored,
            signed=layout.signed,
            transfer_syntax_uid=transfer_syntax,
        )
    return pixel_array(ds, decoding_plugin="pyjpegls" if transfer_syntax in JPEG_LS_FAMILY else "pydicom")


def _stored_values(words: npt.NDArray[np.uint16], layout: ImagePixel) -> npt.NDArray[np.int32]:
    values = (words & np.uint16((1 << layout.bits_stored) - 1)).astype(np.int32)
    if layout.signed:
        sign = np.int32(1 << (layout.bits_stored - 1))
        values = (values ^ sign) - sign
    return values
