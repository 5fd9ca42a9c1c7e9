"""JPEG Lossless frames decoded by gdcm in a process of its own, because gdcm aborts on some damaged frames.

`decode_frame` is for callers; run as a module this file is the child, which reads a frame from standard input and
writes its pixels, two bytes each, little endian, to standard output. A child that dies takes nothing with it, and its
memory is bounded.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt

TIMEOUT_S = 120.0
MEMORY_BYTES = 4 << 30


class ChildFailed(Exception):  # noqa: N818 - the decoder's failure, which the caller names
    """The frame could not be decoded."""


def decode_frame(
    frame: bytes, *, rows: int, columns: int, bits_stored: int, signed: bool, transfer_syntax_uid: str
) -> npt.NDArray[np.uint16]:
    """(H, W) uint16 words of one frame, junk above Bits Stored included. Raises ChildFailed."""
    numbers = map(str, (rows, columns, bits_stored, int(signed)))
    # -P: modules of the working directory must not stand in for installed ones.
    command = [sys.executable, "-P", "-m", "dicom_node.gdcm_process", transfer_syntax_uid, *numbers]
    try:
        child = subprocess.run(command, input=frame, capture_output=True, timeout=TIMEOUT_S, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ChildFailed(type(error).__name__) from error
    if child.returncode != 0 or len(child.stdout) != 2 * rows * columns:
        raise ChildFailed(f"exit status {child.returncode}")
    return np.frombuffer(child.stdout, "<u2").reshape(rows, columns)


def _main(transfer_syntax_uid: str, rows: int, columns: int, bits_stored: int, signed: int) -> int:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import UID

    _bound_memory()
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits_stored, bits_stored - 1, signed
    ds.PixelData = encapsulate([sys.stdin.buffer.read()])
    pixels = pixel_array(ds, decoding_plugin="gdcm")
    sys.stdout.buffer.write((pixels.astype(np.int64) & 0xFFFF).astype("<u2").tobytes())
    return 0


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this platform
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], *map(int, sys.argv[2:6])))
