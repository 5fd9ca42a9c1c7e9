"""JPEG 2000 and HTJ2K codestreams, one at a time in a process.

pylibjpeg-openjpeg keeps the stream that it reads or writes in variables of its module: two threads inside it read and
write each other's memory, which ends the process. Whoever works with threads therefore takes turns.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
from openjpeg.utils import decode, encode_array

_turn = threading.Lock()


def decode_codestream(codestream: bytes) -> npt.NDArray[np.integer]:
    """The pixels of a codestream, (H, W) or (H, W, N). Raises RuntimeError when it is damaged."""
    with _turn:
        return np.asarray(decode(codestream))


def encode_codestream(
    pixels: npt.NDArray[np.integer], *, bits_stored: int, compression_ratios: list[float] | None = None
) -> bytes:
    """`pixels` (H, W) of `bits_stored` bits as a codestream, without loss unless ratios are given.

    Raises RuntimeError or ValueError when they cannot be encoded.
    """
    with _turn:
        return bytes(encode_array(pixels, bits_stored=bits_stored, compression_ratios=compression_ratios))
