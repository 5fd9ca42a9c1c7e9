"""Derived images compressed without loss, on a site's request: JPEG-LS or JPEG 2000 (PS3.5 A.4.3, A.4.4).

The SOP Instance UID stays: the pixels are the same, and that is checked by decoding them again before anything leaves.
"""

from __future__ import annotations

from copy import deepcopy
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

from dicom_node.decoding import decode_stored
from dicom_node.errors import DerivationError, PixelError
from dicom_node.image_pixel import ImagePixel, read_image_pixel
from dicom_node.jpeg2000 import encode_codestream

WITHOUT_LOSS = (JPEGLSLossless, JPEG2000Lossless)


class Compression(StrEnum):
    """How derived images are encoded; the values are what a site's file says."""

    NONE = "none"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"


def compressed(dataset: Dataset, compression: str) -> Dataset:
    """`dataset`, uncompressed, in the transfer syntax that `compression` names; `dataset` is left as it was.

    Raises DerivationError when the name is unknown, the data set is compressed already or the pixels do not come back
    bit for bit.
    """
    try:
        chosen = Compression(compression)
    except ValueError:
        raise DerivationError(
            "COMPRESSION_UNKNOWN", f"expected one of {', '.join(Compression)}, found {compression[:16]!r}"
        ) from None
    if chosen is Compression.NONE:
        return dataset
    if dataset.file_meta.TransferSyntaxUID != ExplicitVRLittleEndian:
        raise DerivationError("COMPRESSION_FAILED", "expected uncompressed pixels, found another transfer syntax")
    layout = read_image_pixel(dataset)
    before = decode_stored(dataset, layout)
    packed = deepcopy(dataset)
    try:
        if chosen is Compression.JPEG_LS:
            packed.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        else:
            _compress_with_openjpeg(packed, layout, before)
        after = decode_stored(packed, layout)
    except (PixelError, ValueError, RuntimeError) as error:
        raise DerivationError(
            "COMPRESSION_FAILED", f"expected {chosen} to encode the pixels, found {type(error).__name__}"
        ) from error
    if not np.array_equal(before, after):
        raise DerivationError("COMPRESSION_FAILED", f"expected the same pixels back from {chosen}, found others")
    return packed


def uncompressed(dataset: Dataset) -> Dataset:
    """`dataset`, compressed without loss, in Explicit VR Little Endian: the same pixels, so under the same UID.

    `dataset` is left as it was. Raises DerivationError when it is compressed in another way, PixelError when its pixels
    cannot be decoded.
    """
    if dataset.file_meta.TransferSyntaxUID not in WITHOUT_LOSS:
        raise DerivationError("COMPRESSION_UNKNOWN", "expected pixels compressed without loss, found another encoding")
    layout = read_image_pixel(dataset)
    stored = decode_stored(dataset, layout)
    plain = deepcopy(dataset)
    plain.add_new("PixelData", "OW", stored.astype("<i2" if layout.signed else "<u2").tobytes())
    plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    plain.set_original_encoding(False, True, plain._character_set)
    return plain


def _compress_with_openjpeg(packed: Dataset, layout: ImagePixel, stored: npt.NDArray[np.int32]) -> None:
    pixels = stored.astype(np.int16 if layout.signed else np.uint16)
    codestream = encode_codestream(pixels, bits_stored=layout.bits_stored)
    packed["PixelData"].value = encapsulate([codestream])
    packed["PixelData"].VR = "OB"
    packed["PixelData"].is_undefined_length = True
    packed.file_meta.TransferSyntaxUID = JPEG2000Lossless
    packed.set_original_encoding(False, True, packed._character_set)
