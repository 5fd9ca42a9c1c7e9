"""Lossy Image Compression (0028,2110) of a derived object: once 01, always 01 (PS3.3 C.7.6.1.1.5).

Besides the source's own word its transfer syntax counts, since a sender may have compressed without saying so.
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import HTJ2K, JPEG2000, JPEGLSNearLossless

from dicom_node.header_values import numbers, text, texts
from dicom_node.image_pixel import ImagePixel

# These may hold a reversible codestream as well, so the header's word counts where there is one.
_METHODS = {JPEGLSNearLossless: "ISO_14495_1", JPEG2000: "ISO_15444_1", HTJ2K: "ISO_15444_15"}


def add_lossy_history(source: Dataset, derived: Dataset, layout: ImagePixel, *, required: bool) -> None:
    """Complete what was copied; `required` writes "00" as well when nothing speaks of loss."""
    stated = text(source, "LossyImageCompression")
    transfer_syntax = text(source.file_meta, "TransferSyntaxUID") if hasattr(source, "file_meta") else ""
    method = next((name for uid, name in _METHODS.items() if uid == transfer_syntax), "")
    if stated == "01" or (stated != "00" and method):
        derived.LossyImageCompression = "01"
        if not numbers(source, "LossyImageCompressionRatio"):
            derived.LossyImageCompressionRatio = f"{_ratio(source, layout) if method else 1.0:.4g}"
        if not texts(source, "LossyImageCompressionMethod"):
            derived.LossyImageCompressionMethod = method or "ISO_10918_1"
    elif required:
        derived.LossyImageCompression = "00"


def _ratio(source: Dataset, layout: ImagePixel) -> float:
    size = len(source.get("PixelData", b"") or b"")
    return max(1.0, 2.0 * layout.rows * layout.columns / size) if size else 1.0
