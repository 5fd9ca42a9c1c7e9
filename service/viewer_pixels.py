"""What a viewer needs of one stored image: its values at full depth, and how its header wants them shown.

The decoding is `dicom_node`'s, which stands above `service`; it is named here and loaded when the first image is asked
for, as the command line does it.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from service.errors import PermanentError

READER = "dicom_node.viewer_pixels:read_pixels"
MOST_AT_ONCE = 2
"""Images decoded at a time: each may take 1 GB when it is as large as the largest that are accepted."""

_turn = threading.BoundedSemaphore(MOST_AT_ONCE)


@dataclass(frozen=True)
class GreyScale:
    """Modality value x → grey: a window with its function (PS3.3 C.11.2.1.2, C.11.2.1.3), or a curve of the header.

    `center` and `width` in modality values. `function`: LINEAR, LINEAR_EXACT, SIGMOID; or CURVE, where `curve` holds
    grey 0…1 at evenly spaced x from center − width / 2 to center + width / 2. `inverted`: the grey is turned round
    afterwards, so that bone is bright.
    """

    center: float
    width: float
    function: str
    inverted: bool
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class ViewerPixels:
    """One image. `words`: rows · columns little-endian uint16, row 0 at the top; stored value = word + `lowest`.

    Modality value = stored value · `slope` + `intercept`, in `unit`. `spacing_mm`: between rows and between columns,
    at the detector unless `calibrated`; None: not known. `grey_scale` None: the image is no radiograph of its own and
    is shown as its source is.
    """

    words: bytes
    rows: int
    columns: int
    bits_stored: int
    lowest: int
    slope: float
    intercept: float
    unit: str
    spacing_mm: tuple[float, float] | None
    calibrated: bool
    grey_scale: GreyScale | None


class PixelsNotShownError(PermanentError):
    """The object's pixels cannot be decoded; `code` says why."""


def read_pixels(content: bytes, *, with_grey_scale: bool) -> ViewerPixels:
    """The pixels of the DICOM file `content`. Raises PixelsNotShownError."""
    with _turn:
        return _reader()(content, with_grey_scale)


@cache
def _reader() -> Callable[[bytes, bool], ViewerPixels]:
    module, _, name = READER.partition(":")
    return cast(Callable[[bytes, bool], ViewerPixels], getattr(importlib.import_module(module), name))
