"""Values of interest (PS3.3 C.11.2): which window or VOI LUT of a header applies, and modality value → 0…1.

Alternatives are the sender's choice of presentations: the one explained as NORMAL, else the first. A VOI LUT goes
before a window, since a sender that took the trouble of a curve means it. A windowed value is not clipped here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.header_values import items, numbers, text, texts
from dicom_node.lookup_tables import LookupTable, is_big_endian, read_lookup_table

# Beyond this many widths from the centre a sigmoid goes on along its tangent: 0.25 % of the range is left there, and a
# curve that never ends would turn the smallest residual into thousands of stored units.
SIGMOID_KNEE = 1.5


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """Window Center and Width with the function that C.11.2.1.2 and C.11.2.1.3 define for them."""

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR

    def __call__(self, modality: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """0 at the lower end of the window, 1 at the upper, going on outside it."""
        if self.function is VoiFunction.LINEAR:
            return (modality - (self.center - 0.5)) / (self.width - 1.0) + 0.5
        if self.function is VoiFunction.LINEAR_EXACT:
            return (modality - self.center) / self.width + 0.5
        return _sigmoid((modality - self.center) / self.width)


def read_voi(ds: Dataset) -> Window | LookupTable | None:
    """What turns modality values into display values, or None when the header states nothing that can be used."""
    for item in items(ds, "VOILUTSequence")[:1]:
        table = read_lookup_table(item, big_endian=is_big_endian(ds))
        if table is not None:
            return table.normalised()
    return read_window(ds)


def read_window(ds: Dataset) -> Window | None:
    """The window that applies, or None when there is none or its width is not allowed (C.11.2.1.2.1)."""
    centers, widths = numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth")
    if not centers or len(centers) != len(widths):
        return None
    explanations = [one.upper() for one in texts(ds, "WindowCenterWidthExplanation")]
    chosen = explanations.index("NORMAL") if "NORMAL" in explanations[: len(centers)] else 0
    stated = text(ds, "VOILUTFunction").upper()
    function = VoiFunction(stated) if stated in set(VoiFunction) else VoiFunction.LINEAR
    center, width = centers[chosen], widths[chosen]
    # LINEAR of width 1 is legal and a step: nothing to invert, so it is as good as none.
    narrowest = 1.0 if function is VoiFunction.LINEAR else 1e-6
    if not narrowest < width <= 1e12 or abs(center) > 1e12:
        return None
    return Window(center, width, function)


def _sigmoid(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    inside = np.clip(z, -SIGMOID_KNEE, SIGMOID_KNEE)
    curve = 1.0 / (1.0 + np.exp(-4.0 * inside))
    end = 1.0 / (1.0 + np.exp(-4.0 * SIGMOID_KNEE))
    slope = 4.0 * end * (1.0 - end)
    return np.asarray(curve + (z - inside) * slope)
