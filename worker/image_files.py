"""Radiographs in files: DICOM or grey PNG in, PNG out, with no step through 8 bits where there are more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.radiograph import wrap_radiograph
from service.errors import PermanentError

PNG_BITS = 14
PNG_MAX = 65535.0
_COLOUR_MODES = {"RGB", "RGBA", "LA", "P"}


def read_radiograph(path: Path) -> Dataset:
    """The radiograph in `path` as a CR or DX data set with its pixels.

    A grey PNG (8 or 16 bits, bone bright) is wrapped as a 14-bit DX For Presentation. Raises PermanentError with code
    NOT_READABLE when the file is neither, naming what it is.
    """
    try:
        with path.open("rb") as opened:
            is_png = opened.read(8) == b"\x89PNG\r\n\x1a\n"
    except OSError as error:
        raise PermanentError("NOT_READABLE", f"expected a readable file, found: {error.strerror}") from error
    if is_png:
        return wrap_radiograph(_read_grey_png(path), bits_stored=PNG_BITS)
    try:
        return dcmread(path)
    except (InvalidDicomError, OSError, ValueError, EOFError) as error:
        raise PermanentError(
            "NOT_READABLE", f"expected a DICOM (Part 10) or PNG file, found neither in {path.name}"
        ) from error


def write_display_png(path: Path, display: NDArray[np.float32]) -> None:
    """Write (H, W) display values as a 16-bit grey PNG; 0..1 becomes 0..65535, clipped outside."""
    stored = np.rint(np.clip(display.astype(np.float64), 0.0, 1.0) * PNG_MAX).astype(np.uint16)
    Image.fromarray(stored).save(path, format="PNG")


def write_comparison_png(path: Path, source: NDArray[np.float32], residual: NDArray[np.float32], side: int) -> None:
    """Original, soft tissue and bone residual side by side, each `side` px high, as an 8-bit picture for people.

    source, residual: (H, W) float32 display units. The residual is stretched to its own range: it shows where bone was.
    """
    strongest = max(float(np.quantile(np.abs(residual), 0.999)), 1e-6)
    panels = [_panel(picture, side) for picture in (source, source - residual, residual / strongest)]
    gap = Image.new("L", (max(4, side // 100), side), color=128)
    width = sum(panel.width for panel in panels) + gap.width * (len(panels) - 1)
    sheet = Image.new("L", (width, side))
    left = 0
    for index, panel in enumerate(panels):
        if index:
            sheet.paste(gap, (left, 0))
            left += gap.width
        sheet.paste(panel, (left, 0))
        left += panel.width
    sheet.save(path, format="PNG", optimize=True)


def _panel(display: NDArray[np.float32], side: int) -> Image.Image:
    rows, columns = display.shape
    picture = Image.fromarray(np.clip(display, 0.0, 1.0).astype(np.float32) * np.float32(255.0))
    size = (max(1, round(columns * side / rows)), side)
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0).convert("L")


def _read_grey_png(path: Path) -> NDArray[np.float32]:
    try:
        with Image.open(path) as picture:
            picture.load()
            mode = picture.mode
            pixels = np.asarray(picture.convert("RGB") if mode in _COLOUR_MODES else picture)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise PermanentError("NOT_READABLE", f"expected a whole PNG file, found a damaged one: {path.name}") from error
    if mode == "L":
        return pixels.astype(np.float32) / np.float32(255.0)
    if mode.startswith("I"):
        return (pixels.astype(np.float64) / PNG_MAX).astype(np.float32)
    if mode in _COLOUR_MODES and (pixels == pixels[..., :1]).all():
        return pixels[..., 0].astype(np.float32) / np.float32(255.0)
    raise PermanentError("NOT_GREY", f"expected a grey PNG of 8 or 16 bits, found mode {mode} in {path.name}")
