"""Reading an instance back from its stored file, without trusting what a deflated one claims to hold."""

from __future__ import annotations

import zlib
from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dicom_node.errors import PixelError, PixelErrorCode

MAX_INFLATED = 512 * 1024 * 1024
_STEP = 16 * 1024 * 1024
_PREAMBLE_END = 132
_GROUP_LENGTH_END = 144


def read_stored_instance(stored: bytes, max_inflated: int = MAX_INFLATED) -> Dataset:
    """The data set in the bytes of a Part 10 file.

    Raises PixelError (DECODE_FAILED) when a deflated data set (PS3.5 A.5) inflates to more than `max_inflated` bytes:
    a kilobyte can stand for gigabytes, and pydicom inflates without a bound.
    """
    # PS3.10 §7.1: 128 bytes and "DICM", then (0002,0000), whose value of four bytes counts what follows it.
    start = _GROUP_LENGTH_END + int.from_bytes(stored[_GROUP_LENGTH_END - 4 : _GROUP_LENGTH_END], "little")
    meta = read_dataset(BytesIO(stored[_PREAMBLE_END:start]), is_implicit_VR=False, is_little_endian=True)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        _require_bounded(stored, start, max_inflated)
    return dcmread(BytesIO(stored))


def _require_bounded(stored: bytes, start: int, max_inflated: int) -> None:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting, total = stored[start:], 0
    while waiting and not inflater.eof:
        total += len(inflater.decompress(waiting, _STEP))
        waiting = inflater.unconsumed_tail
        if total > max_inflated:
            raise PixelError(
                PixelErrorCode.DECODE_FAILED,
                f"expected a deflated data set of at most {max_inflated} bytes, found more than that",
            )
