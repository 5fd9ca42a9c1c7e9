"""The transfer syntaxes whose pixels the installed decoders really decode, for negotiation and for the decoder.

Only what is listed is ever offered: MPEG, JPIP and the like are left out on purpose, and so is any syntax whose plugin
is not installed. JPEG Baseline holds 8 bits, which no accepted radiograph has, and neither gdcm nor Pillow decodes JPEG
Extended at 12: left out as well, so that a sender falls back on a syntax that keeps the picture. Lossless and cheap
ones stand first, because an acceptor picks by its own order (PS3.8 9.3.3.2).
"""

from __future__ import annotations

import importlib.util

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

NATIVE = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
JPEG_FAMILY = (JPEGLosslessSV1, JPEGLossless)
JPEG_LS_FAMILY = (JPEGLSLossless, JPEGLSNearLossless)
JPEG_2000_FAMILY = (JPEG2000Lossless, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000, HTJ2K)

PREFERENCE = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLosslessSV1,
    JPEGLossless,
    JPEG2000Lossless,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    RLELossless,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGLSNearLossless,
    JPEG2000,
    HTJ2K,
)


def decodable_transfer_syntaxes() -> list[UID]:
    """Every transfer syntax that can be decoded here, in order of preference."""
    return [uid for uid in PREFERENCE if is_decodable(uid)]


def is_decodable(transfer_syntax_uid: str) -> bool:
    """Whether pixels in this transfer syntax can be decoded with what is installed."""
    uid = UID(transfer_syntax_uid)
    if uid not in PREFERENCE:
        return False
    if uid in NATIVE:
        return True
    if uid in JPEG_2000_FAMILY:  # decoded by openjpeg itself, see decoding.py
        return importlib.util.find_spec("openjpeg") is not None
    return bool(get_decoder(uid).is_available)
