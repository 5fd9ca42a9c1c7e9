"""Grey pictures in files at their full depth: 8- or 16-bit PNG in, 16-bit PNG out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.pairs.errors import PairDataError, PairFault

TOP = 65535
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0
"""PNG colour type (ISO 15948, 11.2.2)."""
_COLOUR_MODES = frozenset({"RGB", "RGBA", "LA", "P", "PA"})


def read_grey16(path: Path) -> NDArray[np.float32]:
    """A grey PNG as (H, W) float32, [0, 1], row 0 at the top, with all its bits.

    An 8-bit colour PNG whose channels are all equal is grey. Raises PairDataError: NOT_READABLE (no PNG, or a damaged
    one) or NOT_GREY.
    """
    bits, colour_type = _read_header(path)[2:]
    if bits == 16 and colour_type != _GREY:
        raise PairDataError(PairFault.NOT_GREY, f"{path.name}: expected a grey PNG, found 16-bit colour")
    try:
        with Image.open(path) as picture:
            picture.load()
            mode = picture.mode
            pixels = np.asarray(picture.convert("RGB") if mode in _COLOUR_MODES else picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path.name}: expected a whole PNG file, found a damaged one"
        ) from error
    if mode == "L":
        return pixels.astype(np.float32) / np.float32(255)
    if mode.startswith("I"):
        return (pixels.astype(np.float64) / TOP).astype(np.float32)
    if mode == "1":
        return pixels.astype(np.float32)
    if mode in _COLOUR_MODES and bool((pixels == pixels[..., :1]).all()):
        return pixels[..., 0].astype(np.float32) / np.float32(255)
    raise PairDataError(PairFault.NOT_GREY, f"{path.name}: expected a grey PNG of 8 or 16 bits, found colour ({mode})")


def write_grey16(path: Path, pixels: NDArray[np.float32]) -> None:
    """(H, W) float32 as a 16-bit grey PNG: 0 … 1 becomes 0 … 65535, clipped outside. Pixels must be finite."""
    stored = np.rint(np.clip(pixels.astype(np.float64), 0.0, 1.0) * TOP).astype(np.uint16)
    Image.fromarray(stored).save(path, format="PNG")


def png_size(path: Path) -> tuple[int, int]:
    """(height, width) of a PNG from its header alone. Raises PairDataError (NOT_READABLE)."""
    return _read_header(path)[:2]


def is_png(path: Path) -> bool:
    """Whether the file begins as a PNG does; False when it cannot be read."""
    try:
        with path.open("rb") as opened:
            return opened.read(len(_SIGNATURE)) == _SIGNATURE
    except OSError:
        return False


def _read_header(path: Path) -> tuple[int, int, int, int]:
    """Height, width, bits per channel and colour type from the IHDR chunk, which always comes first."""
    try:
        with path.open("rb") as opened:
            head = opened.read(26)
    except OSError as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path.name}: expected a readable file, found: {error.strerror}"
        ) from error
    if head[:8] != _SIGNATURE or head[12:16] != b"IHDR" or len(head) < 26:
        raise PairDataError(PairFault.NOT_READABLE, f"{path.name}: expected a PNG file, found something else")
    return int.from_bytes(head[20:24]), int.from_bytes(head[16:20]), head[24], head[25]
