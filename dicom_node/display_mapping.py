"""Stored value ↔ display value, as a table over every value that Bits Stored can hold.

Display values are P-values scaled to 0…1 with bone bright (PS3.3 C.11, PS3.4 N.2): modality transform, VOI, then
inversion against the full range for MONOCHROME1. The table is not clipped at the window's ends but continued, and is
strictly monotone, so it has an exact inverse: with at most 65536 entries in float64 nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

_ROWS_AT_ONCE = 256  # bounds the float64 temporaries


class MappingNote(StrEnum):
    """What had to be done about a header, for the log."""

    NO_VOI = "NO_VOI"
    VOI_NOT_INVERTIBLE = "VOI_NOT_INVERTIBLE"
    VOI_MISSES_THE_IMAGE = "VOI_MISSES_THE_IMAGE"
    RESCALE_IN_DX = "RESCALE_IN_DX"
    FOR_PROCESSING_LINEARISED = "FOR_PROCESSING_LINEARISED"


@dataclass(frozen=True)
class DisplayMapping:
    """`table[s - lowest]` (N,) float64 is the display value of stored value s; strictly rising or falling."""

    lowest: int
    table: npt.NDArray[np.float64]

    @property
    def highest(self) -> int:
        """The largest stored value."""
        return self.lowest + len(self.table) - 1

    @property
    def falling(self) -> bool:
        """Whether larger stored values are darker."""
        return bool(self.table[0] > self.table[-1])

    def to_display(self, stored: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """(H, W) float32 display values: 0…1 across the window, not clipped outside it."""
        return np.asarray(self.table.astype(np.float32)[stored - self.lowest])

    def subtract(self, stored: npt.NDArray[np.int32], residual: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
        """(H, W) int32: the stored values whose display values lie nearest to display − residual, within the range."""
        steps = np.diff(self.table)
        if np.allclose(steps, steps[0], rtol=1e-9, atol=0.0):  # a plain window: the inverse is a division
            units = np.rint(residual / np.float64(steps[0]))
            room = np.clip(units, self.lowest - self.highest, self.highest - self.lowest).astype(np.int32)
            return np.asarray(np.clip(stored - room, self.lowest, self.highest), np.int32)
        changed = np.empty_like(stored)
        for top in range(0, stored.shape[0], _ROWS_AT_ONCE):
            rows = slice(top, top + _ROWS_AT_ONCE)
            targets = self.table[stored[rows] - self.lowest] - residual[rows].astype(np.float64)
            changed[rows] = self._nearest(targets)
        return changed

    def _nearest(self, targets: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        rising = self.table[::-1] if self.falling else self.table
        above = np.clip(np.searchsorted(rising, targets), 1, len(rising) - 1)
        nearest = np.where(targets - rising[above - 1] < rising[above] - targets, above - 1, above)
        index = len(rising) - 1 - nearest if self.falling else nearest
        return (index + self.lowest).astype(np.int32)
