from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.jpeg2000 import decode_codestream, encode_codestream

# In a process of its own: without taking turns it dies within the first hundreds.
MANY_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from dicom_node.jpeg2000 import decode_codestream, encode_codestream

rng = np.random.default_rng(0)
shapes = [(bits, side) for bits in (10, 14, 16) for side in (32, 64, 96)]
pictures = [rng.integers(0, 1 << bits, (side, side)).astype(np.uint16) for bits, side in shapes]
pictures = [(picture, int(picture.max()).bit_length()) for picture in pictures]

def there_and_back(number):
    picture, bits = pictures[number % len(pictures)]
    return bool((decode_codestream(encode_codestream(picture, bits_stored=bits)) == picture).all())

with ThreadPoolExecutor(4) as threads:
    assert all(threads.map(there_and_back, range(1500)))
"""


def test_threads_may_use_it_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-500:]


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 16), st.integers(32, 80), st.integers(32, 80), st.booleans())
def test_pixels_come_back_as_they_were(bits: int, rows: int, columns: int, signed: bool) -> None:
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    values = np.random.default_rng(bits).integers(low, high, (rows, columns))
    pixels = values.astype(np.int16 if signed else np.uint16)
    pixels[0, 0] = high - 1
    assert np.array_equal(decode_codestream(encode_codestream(pixels, bits_stored=bits)), pixels)


def test_a_damaged_codestream_is_an_error() -> None:
    pixels = np.zeros((64, 64), np.uint16)
    with pytest.raises(RuntimeError):
        decode_codestream(encode_codestream(pixels, bits_stored=14)[:40])
