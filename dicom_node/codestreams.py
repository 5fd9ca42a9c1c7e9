"""What a compressed frame says of itself, read before a decoder sees it.

A decoder allocates what the codestream claims, not what the header claims, and some return half an image without a
word when the frame was cut off. So the frame's own size is compared with Rows and Columns, and its end marker is asked
for: SOFn (ITU-T T.81 B.2.2), SOF55 and EOI (T.87 C.2.2), SIZ and EOC (T.800 A.5.1, A.4.4).
"""

from __future__ import annotations

import struct

from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.image_pixel import ImagePixel
from dicom_node.transfer_syntaxes import JPEG_2000_FAMILY, JPEG_FAMILY, JPEG_LS_FAMILY

END_MARKER = b"\xff\xd9"  # EOI and EOC share their code
_JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_J2K_START = b"\xff\x4f\xff\x51"


def check_frame(frame: bytes, layout: ImagePixel, transfer_syntax_uid: str) -> None:
    """PixelError unless the frame is whole and claims the header's own size; RLE says nothing of itself."""
    if transfer_syntax_uid in JPEG_2000_FAMILY:
        claimed = _j2k_size(frame)
    elif transfer_syntax_uid in JPEG_FAMILY + JPEG_LS_FAMILY:
        claimed = _jpeg_size(frame)
    else:
        return
    if claimed is None:
        raise PixelError(
            PixelErrorCode.DECODE_FAILED,
            f"expected a codestream of {transfer_syntax_uid}, found {len(frame)} bytes of something else",
        )
    if claimed != (layout.rows, layout.columns, 1):
        raise PixelError(
            PixelErrorCode.FRAME_MISMATCH,
            f"expected a frame of {layout.rows} × {layout.columns} × 1, found one of {' × '.join(map(str, claimed))}",
        )
    if not frame.rstrip(b"\0\xff").endswith(END_MARKER):  # encoders pad with either
        raise PixelError(
            PixelErrorCode.PIXEL_DATA_TRUNCATED, f"expected an end marker, found none in {len(frame)} bytes"
        )


def _jpeg_size(frame: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and components of a JPEG or JPEG-LS codestream, None when there is no frame header."""
    if frame[:2] != b"\xff\xd8":
        return None
    position = 2
    while position + 4 <= len(frame) and frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker in _JPEG_SOF:
            if position + 10 > len(frame):
                return None
            rows, columns, components = struct.unpack_from(">HHB", frame, position + 5)
            return rows, columns, components
        (length,) = struct.unpack_from(">H", frame, position + 2)
        position += 2 + max(length, 2)
    return None


def _j2k_size(frame: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and components of a JPEG 2000 or HTJ2K codestream, inside a JP2 box or (as it should be) bare."""
    start = frame.find(_J2K_START, 0, 4096)
    if start < 0 or start + 42 > len(frame):
        return None
    x_end, y_end, x_start, y_start = struct.unpack_from(">4I", frame, start + 8)
    (components,) = struct.unpack_from(">H", frame, start + 40)
    return y_end - y_start, x_end - x_start, components
