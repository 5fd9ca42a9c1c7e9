"""The LUT macro that Modality LUT and VOI LUT items share (PS3.3 C.11.1, C.11.2), with its traps in one place.

An entry count of 0 means 65536, the second descriptor value is signed when its VR says so, LUT Data may come as US
values or as OW bytes in the data set's byte order, and some writers pack 8-bit entries or claim too few bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from dicom_node.header_values import numbers


@dataclass(frozen=True)
class LookupTable:
    """`entries` (N,) float64 for the input values `first_input`, `first_input` + 1, …; the ends are held outside."""

    first_input: int
    entries: npt.NDArray[np.float64]
    bits_per_entry: int

    def __call__(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The entry for each input, rounded down to a whole index."""
        index = np.clip(np.floor(inputs) - self.first_input, 0, len(self.entries) - 1).astype(np.intp)
        return np.asarray(self.entries[index])

    def normalised(self) -> LookupTable:
        """Entries over the full output range, which the descriptor states and the array's maximum does not."""
        top = max((1 << self.bits_per_entry) - 1, float(self.entries.max()))
        return LookupTable(self.first_input, self.entries / top, self.bits_per_entry)


def read_lookup_table(item: Dataset, *, big_endian: bool = False) -> LookupTable | None:
    """The table of one LUT item, or None when it is malformed."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    count, first, bits = (int(value) for value in descriptor)
    count = (count & 0xFFFF) or 65536
    entries = _entries(item, count, big_endian)
    if entries is None or not 1 <= bits <= 16 or count < 2:
        return None
    return LookupTable(first, entries, bits)


def is_big_endian(ds: Dataset) -> bool:
    """Whether OW values of the data set are still in big-endian order."""
    meta = getattr(ds, "file_meta", None)
    return meta is not None and meta.get("TransferSyntaxUID") == ExplicitVRBigEndian


def _entries(item: Dataset, count: int, big_endian: bool) -> npt.NDArray[np.float64] | None:
    try:
        value = item["LUTData"].value
        if isinstance(value, bytes | bytearray):
            if len(value) in (count, count + 1):
                return np.frombuffer(bytes(value), np.uint8, count=count).astype(np.float64)
            order = ">u2" if big_endian else "<u2"
            return np.frombuffer(bytes(value), order, count=count).astype(np.float64)
        entries = np.asarray(value, np.int64)
        return (entries[:count] & 0xFFFF).astype(np.float64) if entries.ndim == 1 and len(entries) >= count else None
    except Exception:  # absent, too short, not numbers
        return None
